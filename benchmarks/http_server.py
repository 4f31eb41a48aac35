"""The product behind gunicorn, as it is deployed, and a client who has signed in."""

import json
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, RemoteDisconnected
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from ops.demo.seeding import PASSWORD

WORKERS = 2
START_S = 60


class WebServer:
    """Start with `with WebServer() as server:`; on a free port, on the database that this process is on."""

    def __enter__(self) -> "WebServer":
        self.clients: list[HTTPClient] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "benchmarks.wsgi"],
            cwd=settings.BASE_DIR,
            env=os.environ
            | {
                "DATABASE_URL": _database_url(),
                "DEBUG": "false",
                "HOST": "127.0.0.1",
                "PORT": str(self.port),
                "WEB_WORKERS": str(WORKERS),
                "WEB_STATEMENT_TIMEOUT_MS": "0",  # plainer shapes and missing indexes take their time
                "THROTTLE_USER_PER_MIN": "0",
                "THROTTLE_SIGN_IN_PER_MIN": "0",
            },
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for client in self.clients:
            client.connection.close()
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def sign_in(self, username: str) -> "HTTPClient":
        """A client whose connection is closed when the server stops."""
        self.clients.append(HTTPClient(self.port, username))
        return self.clients[-1]

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("gunicorn did not start.") from error
                time.sleep(0.1)
            else:
                return


class HTTPClient:
    """Somebody who has signed in. Keeps its connection, as browsers do."""

    def __init__(self, port: int, username: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Content-Type": "application/json"}
        body = json.dumps({"username": username, "password": PASSWORD})
        answer = json.loads(self._send("POST", "/api/v1/auth/token", body))
        self.headers = {"Authorization": f"Bearer {answer['access']}"}

    def get(self, path: str) -> bytes:
        """The body of an answer. Raises RuntimeError for any other than 200."""
        return self._send("GET", path)

    def _send(self, method: str, path: str, body: str | None = None) -> bytes:
        try:
            self.connection.request(method, path, body, self.headers)
            response = self.connection.getresponse()
        except (RemoteDisconnected, ConnectionError):  # it was idle for longer than gunicorn keeps it
            self.connection.close()
            self.connection.request(method, path, body, self.headers)
            response = self.connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {content[:200]!r}")
        return content


def _database_url() -> str:
    """DATABASE_URL, naming the database that this process is on: that of the tests is another."""
    url = urlsplit(os.environ["DATABASE_URL"])
    folder, _, _ = url.path.rpartition("/")
    return urlunsplit(url._replace(path=f"{folder}/{connection.settings_dict['NAME']}"))

"""The product behind gunicorn, as it is deployed, and a signed-in client."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from ops.demo.seeding import PASSWORD

WORKERS = 2
START_S = 60
Get = Callable[[str], bytes]
SignIn = Callable[[str], Get]


@contextmanager
def web_server() -> Iterator[SignIn]:
    """Start gunicorn on this process's database.

    Yields a function that signs a user in and returns another, which requests a path as that user.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "benchmarks.wsgi"],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": _database_url(),
            "DEBUG": "false",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "WEB_WORKERS": str(WORKERS),
            "WEB_STATEMENT_TIMEOUT_MS": "0",  # queries without indexes take long
            "THROTTLE_USER_PER_MIN": "0",
            "THROTTLE_SIGN_IN_PER_MIN": "0",
        },
    )
    try:
        _wait_for(server, port)
        with ExitStack() as connections:

            def sign_in(username: str) -> Get:
                # Kept open, as browsers do.
                http = connections.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=120)))
                body = json.dumps({"username": username, "password": PASSWORD})
                answer = _send(http, "POST", "/api/v1/auth/token", body, {"Content-Type": "application/json"})
                headers = {"Authorization": f"Bearer {json.loads(answer)['access']}"}
                return lambda path: _send(http, "GET", path, None, headers)

            yield sign_in
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_for(server: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("gunicorn did not start.") from error
            time.sleep(0.1)
        else:
            return


def _send(http: HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
    """Return the body of a 200 response; raise RuntimeError for any other."""
    try:
        http.request(method, path, body, headers)
        response = http.getresponse()
    except ConnectionError:  # idle for longer than gunicorn keeps a connection
        http.close()
        http.request(method, path, body, headers)
        response = http.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {content[:200]!r}")
    return content


def _database_url() -> str:
    """Return DATABASE_URL with the name of this process's database: tests use another than the one in it."""
    url = urlsplit(os.environ["DATABASE_URL"])
    folder, _, _ = url.path.rpartition("/")
    return urlunsplit(url._replace(path=f"{folder}/{connection.settings_dict['NAME']}"))

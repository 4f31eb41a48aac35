"""The product behind gunicorn, as it is deployed, and its signed-in clients."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from tempfile import TemporaryFile
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from ops.demo.seeding import PASSWORD

WORKERS = 2
Get = Callable[[str], bytes]
SignIn = Callable[[str], Get]


@contextmanager
def gunicorn(*options: str, **settings_of_run: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start gunicorn on this process's database, without limits of requests. Yields its process and its port."""
    environment = {
        "DATABASE_URL": database_url(),
        "DEBUG": "false",
        "THROTTLE_USER_PER_MIN": "0",
        "THROTTLE_SIGN_IN_PER_MIN": "0",
    }
    # The log of requests, which costs a little and would fill the terminal, goes to a file as in production.
    # Connections wait at this socket until gunicorn accepts them, or fail when it ends.
    with socket.create_server(("127.0.0.1", 0)) as listener, TemporaryFile() as log:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as gunicorn's own: a reply takes two packets
        port, file = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", f"fd://{file}"]
        server = subprocess.Popen(
            [*command, "--keep-alive", "600", *options, "config.wsgi"],
            cwd=settings.BASE_DIR, env=os.environ | environment | settings_of_run, pass_fds=[file], stderr=log,
        )  # fmt: skip
        with server:
            try:
                yield server, port
            except Exception:  # the end of the log says why
                log.seek(0)
                sys.stderr.write(log.read().decode()[-2000:])
                raise
            finally:
                server.terminate()


@contextmanager
def web_server() -> Iterator[SignIn]:
    """Start the product and the naive endpoints.

    Yields a function that signs a user in and returns another, which requests a path as that user.
    """
    environment = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.web_settings",
        "WEB_WORKERS": str(WORKERS),
        "WEB_STATEMENT_TIMEOUT_MS": "0",  # queries without indexes take long
    }
    with gunicorn(**environment) as (_, port), ExitStack() as stack:

        def open_signed_in(username: str) -> Get:
            http = stack.enter_context(open_connection(port))
            return get_with(http, sign_in(http, username))

        yield open_signed_in


def database_url() -> str:
    """Return the URL of this process's database. Tests use another one than DATABASE_URL names."""
    url = urlsplit(os.environ["DATABASE_URL"])
    folder = url.path.rpartition("/")[0]
    return url._replace(path=f"{folder}/{connection.settings_dict['NAME']}").geturl()


def open_connection(port: int) -> AbstractContextManager[HTTPConnection]:
    return closing(HTTPConnection("127.0.0.1", port, timeout=120))


def sign_in(http: HTTPConnection, username: str) -> str:
    """Return the user's token."""
    body = json.dumps({"username": username, "password": PASSWORD})
    answer = _send(http, "POST", {"Content-Type": "application/json"}, "/api/v1/auth/token", body)
    return str(json.loads(answer)["access"])


def get_with(http: HTTPConnection, token: str) -> Get:
    """Return a function that requests a path with this token."""
    return partial(_send, http, "GET", {"Authorization": f"Bearer {token}"})


def _send(http: HTTPConnection, method: str, headers: dict[str, str], path: str, body: str | None = None) -> bytes:
    """Return the body of a 200 response; raise RuntimeError for any other."""
    http.request(method, path, body, headers)
    response = http.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {content[:200]!r}")
    return content

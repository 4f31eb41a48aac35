"""The product behind gunicorn, as it is deployed, and its signed-in clients."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from ops.demo.seeding import PASSWORD

WORKERS = 2
Get = Callable[[str], bytes]
SignIn = Callable[[str], Get]


@contextmanager
def web_server() -> Iterator[SignIn]:
    """Start gunicorn on this process's database.

    Yields a function that signs a user in and returns another, which requests a path as that user.
    """
    # Tests use another database than the one in the URL.
    url = urlsplit(os.environ["DATABASE_URL"])
    folder = url.path.rpartition("/")[0]
    environment = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.web_settings",
        "DATABASE_URL": url._replace(path=f"{folder}/{connection.settings_dict['NAME']}").geturl(),
        "DEBUG": "false",
        "WEB_WORKERS": str(WORKERS),
        "WEB_STATEMENT_TIMEOUT_MS": "0",  # queries without indexes take long
        "THROTTLE_USER_PER_MIN": "0",
        "THROTTLE_SIGN_IN_PER_MIN": "0",
    }
    # Connections wait at this socket until gunicorn accepts them, or fail when it ends.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as gunicorn's own: a reply takes two packets
        port, file = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", f"fd://{file}"]
        server = subprocess.Popen(
            [*command, "--keep-alive", "600", "config.wsgi"],
            cwd=settings.BASE_DIR, env=os.environ | environment, pass_fds=[file],
        )  # fmt: skip
    with server, ExitStack() as stack:
        stack.callback(server.terminate)

        def sign_in(username: str) -> Get:
            http = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=120)))
            body = json.dumps({"username": username, "password": PASSWORD})
            answer = _send(http, "POST", {"Content-Type": "application/json"}, "/api/v1/auth/token", body)
            return partial(_send, http, "GET", {"Authorization": f"Bearer {json.loads(answer)['access']}"})

        yield sign_in


def _send(http: HTTPConnection, method: str, headers: dict[str, str], path: str, body: str | None = None) -> bytes:
    """Return the body of a 200 response; raise RuntimeError for any other."""
    http.request(method, path, body, headers)
    response = http.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {content[:200]!r}")
    return content

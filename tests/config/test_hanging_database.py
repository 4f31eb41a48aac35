"""The web server while its database hangs: a real gunicorn with config/gunicorn.py."""

import select
import socket
from contextlib import ExitStack

import pytest

from tests.config.test_web_worker import THREADS, Server, read_all, running

pytestmark = pytest.mark.slow


@pytest.fixture
def hanging(tmp_path):
    """A server whose database accepts connections and never answers, and the clients' requests for it."""
    body = b'{"username": "nina", "password": "x"}'
    head = b"POST /api/v1/auth/token HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    sign_in = b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    with ExitStack() as held:
        database = held.enter_context(socket.create_server(("127.0.0.1", 0)))
        url = f"postgres://crm@127.0.0.1:{database.getsockname()[1]}/crm?connect_timeout=14"
        server = held.enter_context(running(tmp_path, 3600, DATABASE_URL=url))
        yield server, [held.enter_context(server.connect(sign_in)) for _ in range(2 * THREADS)]


def test_health_checks_are_answered_while_every_thread_waits_for_the_database(hanging):
    server, clients = hanging
    assert server.status(server.get("/healthz")) == 200
    assert server.status(server.get("/readyz")) == 503
    assert select.select(clients, [], [], 0)[0] == []


def test_request_that_has_waited_long_for_a_thread_is_refused(hanging):
    _, clients = hanging
    answers = [read_all(client) for client in clients]
    assert {Server.status(answer) for answer in answers} == {503}
    busy = [answer for answer in answers if b"The server is busy" in answer]
    assert len(busy) == len(clients) - THREADS
    assert all(b"\r\nRetry-After: 5\r\n" in answer for answer in answers)

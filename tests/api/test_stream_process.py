"""The process of `manage.py stream`: its answers, and its end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from threading import Event

import orjson
import pytest
from django.conf import settings
from django.db import OperationalError, connection

from crm.db.tenancy import all_tenants
from crm.models import Contact
from crm.stream import server
from crm.stream.hub import Hub
from crm.stream.server import Stream, _disconnect
from tests import factories
from tests.api.feed import settle
from tests.api.stream_client import Listener, new_ticket
from tests.conftest import postgres_only

pytestmark = pytest.mark.django_db(transaction=True)


def ask(path, query="", method="GET"):
    """Send a request that is refused. Return the status, the headers, and the only error."""
    stream, sent = Stream(), []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    async def serve():
        scope = {"type": "http", "path": path, "method": method, "query_string": query.encode(), "headers": []}
        await stream(scope, receive, send)
        await stream._in_thread(_disconnect)

    asyncio.run(serve())
    [error] = orjson.loads(sent[1]["body"])["errors"]
    return sent[0]["status"], dict(sent[0]["headers"]), error


@pytest.mark.parametrize(
    ("path", "query", "status", "code", "attr"),
    [
        ("/events", "ticket=nonsense", 401, "invalid_ticket", None),
        ("/events", "", 401, "invalid_ticket", None),
        ("/events", "ticket=nonsense&afterr=x", 400, "unknown_parameter", "afterr"),
        ("/events", "ticket=nonsense&after=x&after=y", 400, "invalid", "after"),
        ("/elsewhere", "", 404, "not_found", None),
    ],
)
def test_refusal_has_the_shape_of_the_api(path, query, status, code, attr):
    answer, _, error = ask(path, query)
    assert (answer, error["code"], error["attr"]) == (status, code, attr)


def test_empty_cursor_is_refused_and_doesnt_count_as_none(csr):
    answer, _, error = ask("/events", f"ticket={new_ticket(csr)}&after=")
    assert (answer, error["code"], error["attr"]) == (400, "invalid_cursor", "after")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:5173", True),
        ("https://app.example.com", True),
        ("https://evil.example.com", False),
        ("", False),
    ],
)
def test_page_may_read_the_stream_if_its_origin_may_call_the_api(origin, allowed, csr, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    ticket = new_ticket(csr)
    stream, sent = Stream(), []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    async def serve():
        query = f"ticket={ticket}".encode()
        headers = [(b"origin", origin.encode())]
        scope = {"type": "http", "path": "/events", "method": "GET", "query_string": query, "headers": headers}
        await stream(scope, receive, send)
        await stream._in_thread(_disconnect)

    asyncio.run(serve())
    found = dict(sent[0]["headers"]).get(b"access-control-allow-origin")
    assert found == (origin.encode() if allowed else None)


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_method_is_refused_with_those_that_are_allowed(method):
    answer, headers, error = ask("/events", method=method)
    assert (answer, headers[b"allow"], error["code"]) == (405, b"GET", "method_not_allowed")
    if method != "HEAD":
        assert ask("/healthz", method=method)[1][b"allow"] == b"GET, HEAD"


def test_database_that_fails_is_a_503(monkeypatch):
    def fail(*arguments):
        raise OperationalError("gone")

    monkeypatch.setattr(Hub, "connect", fail)
    answer, headers, error = ask("/events")
    assert (answer, error["code"], headers[b"retry-after"]) == (503, "unavailable", b"5")


def test_database_that_hangs_is_a_503_and_leaves_no_client(csr, monkeypatch):
    monkeypatch.setattr(server, "ANSWER_S", 0.05)
    stream, sent, answered = Stream(), [], Event()
    late = Listener(stream.hub, csr).client

    def connect(*arguments):
        answered.wait(60)
        return late

    async def send(message):
        sent.append(message)
        answered.set()

    async def serve():
        scope = {"type": "http", "path": "/events", "method": "GET", "query_string": b"", "headers": []}
        await stream(scope, None, send)
        while late in stream.hub.clients:
            await asyncio.sleep(0.01)

    monkeypatch.setattr(stream.hub, "connect", connect)
    assert late in stream.hub.clients
    asyncio.run(asyncio.wait_for(serve(), 60))
    assert sent[0]["status"] == 503


@contextmanager
def stream_process():
    """Start the command on this test's database. Yields its process, and a function that requests a path."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    command = [sys.executable, "manage.py", "stream", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=os.environ | {"DATABASE_URL": url}, stderr=subprocess.PIPE, text=True
    )
    with process, ExitStack() as stack:
        stack.callback(process.kill)
        assert any("startup complete" in line for line in process.stderr)

        def get(path):
            """Return the lines of the response."""
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            return stack.enter_context(client.makefile("r", encoding="utf-8", newline="\n"))

        yield process, get


@pytest.mark.slow
@postgres_only
def test_process_streams_changes_and_ends_its_streams_at_term(acme, csr):
    with stream_process() as (process, get):
        settle()  # a change of the user, read after the stream began, would end it
        ticket = new_ticket(csr)
        events = get(f"/events?ticket={ticket}")
        assert "200" in events.readline()
        assert any(line.startswith("id: ") for line in events)
        assert "401" in get(f"/events?ticket={ticket}").readline()
        assert "200" in get("/healthz").readline()
        contact = factories.ContactFactory(company=acme)
        data = next(line for line in events if line.startswith("data: "))
        assert contact.pk in [each["id"] for each in orjson.loads(data.removeprefix("data: "))["results"]]
        with all_tenants():
            Contact.objects.filter(pk=contact.pk).update(city="Denver")
        assert "contacts" in next(line for line in events if line.startswith("data: "))
        process.send_signal(signal.SIGTERM)
        assert any(line == "event: reconnect\n" for line in events)
        assert process.wait(60) == 0

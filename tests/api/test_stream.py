"""`manage.py stream`: the changes as server-sent events."""

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
from rest_framework.test import APIClient

from crm.api.tokens import SESSION, SessionToken
from crm.changes import tickets
from crm.changes.cursors import InvalidCursor, Position
from crm.changes.tickets import InvalidTicket, issue_ticket, use_ticket
from crm.db.tenancy import all_tenants
from crm.models import Contact, User
from crm.stream import hub as hub_module
from crm.stream import server
from crm.stream.hub import Hub
from crm.stream.server import Stream, _disconnect
from tests import factories
from tests.api.feed import settle, statements
from tests.conftest import postgres_only
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db(transaction=True)
TICKET_URL = "/api/v1/events/ticket"


def new_ticket(user):
    return issue_ticket(user, session=SessionToken.for_user(user)[SESSION])


class Listener:
    """A client of a hub, without a network."""

    def __init__(self, hub, user, after=None):
        self.woken = 0
        settle()
        self.client = hub.connect(new_ticket(user), after, self.wake)
        [self.after] = [cursor for cursor, _ in self.read()]

    def wake(self):
        self.woken += 1

    def read(self):
        """Return the cursor and the changes of each message, and forget them."""
        messages, self.client.messages = list(self.client.messages), type(self.client.messages)()
        found = []
        for message in messages:
            lines = dict(line.split(": ", 1) for line in message.decode().splitlines() if line)
            changes = orjson.loads(lines.get("data", '{"results":[]}'))["results"]
            found.append((lines["id"], [(each["resource"], each["id"], each["change"]) for each in changes]))
        return found

    def changes(self):
        return [change for _, changes in self.read() for change in changes]


def poll(hub):
    settle()
    hub.poll()


@pytest.fixture
def hub():
    return Hub()


def test_ticket_is_for_one_use(csr):
    token = SessionToken.for_user(csr)
    client = APIClient(headers={"Authorization": f"Bearer {token.access_token}"})
    response = client.post(TICKET_URL)
    assert response.status_code == 201
    ticket = response.json()["ticket"]
    assert use_ticket(ticket) == (csr.pk, token[SESSION])
    with pytest.raises(InvalidTicket):
        use_ticket(ticket)


@pytest.mark.parametrize("ticket", ["", "nonsense", "WzFd:abc:def"])
def test_invalid_ticket_is_refused(ticket, db):
    with pytest.raises(InvalidTicket):
        use_ticket(ticket)


def test_ticket_expires(csr, monkeypatch):
    ticket = new_ticket(csr)
    monkeypatch.setattr(tickets, "LIFETIME_S", -1)
    with pytest.raises(InvalidTicket):
        use_ticket(ticket)


def test_ticket_of_a_user_who_left_is_refused(csr, hub):
    ticket = new_ticket(csr)
    User.accounts.filter(pk=csr.pk).update(is_active=False)
    with pytest.raises(InvalidTicket):
        hub.connect(ticket, None, lambda: None)
    assert not hub.clients


@pytest.mark.parametrize("change", [{"role": "rep"}, {"password": "another"}])
def test_ticket_is_worthless_after_a_change_of_the_users_access(change, csr, hub):
    ticket = new_ticket(csr)
    User.accounts.filter(pk=csr.pk).update(**change)
    with pytest.raises(InvalidTicket):
        hub.connect(ticket, None, lambda: None)


def test_ticket_is_worthless_after_the_sign_out(csr, hub):
    token = SessionToken.for_user(csr)
    ticket = issue_ticket(csr, session=token[SESSION])
    token.end_session()
    SessionToken.for_user(csr)  # of another device
    with pytest.raises(InvalidTicket):
        hub.connect(ticket, None, lambda: None)


def test_ticket_without_a_session_is_refused(csr, hub):
    with pytest.raises(InvalidTicket):
        hub.connect(issue_ticket(csr, session=""), None, lambda: None)


def test_sign_out_ends_the_streams_of_its_session_alone(csr, hub):
    token = SessionToken.for_user(csr)
    signed_out = hub.connect(issue_ticket(csr, session=token[SESSION]), None, lambda: None)
    other = Listener(hub, csr).client
    hub.end_signed_out()
    assert not signed_out.ending
    token.end_session()
    with CountQueries() as asked:
        hub.end_signed_out()
    assert signed_out.ending == b"event: reconnect\ndata: {}\n\n"
    assert not other.ending
    assert statements(asked) == 1


def test_change_reaches_the_clients_of_its_company_alone(acme, csr, manager, outsider, hub):
    clients = [Listener(hub, user) for user in (csr, manager, outsider)]
    contact = factories.ContactFactory(company=acme)
    poll(hub)
    assert [client.changes() for client in clients] == [[("contacts", contact.pk, "updated")]] * 2 + [[]]
    assert [client.woken for client in clients] == [1, 1, 0]
    poll(hub)
    assert [client.changes() for client in clients] == [[], [], []]


def test_rep_gets_what_is_in_reach(acme, rep, csr, hub):
    call = factories.CallFactory(contact__company=acme, assigned_rep=rep)
    client, other = Listener(hub, rep), Listener(hub, csr)
    lead = factories.LeadFactory(contact=call.contact)
    foreign = factories.LeadFactory(contact__company=acme)
    poll(hub)
    assert client.changes() == [("leads", lead.pk, "updated")]
    assert ("leads", foreign.pk, "updated") in other.changes()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE calls SET assigned_rep_id = NULL WHERE id = %s", [call.pk])
    poll(hub)
    assert set(client.changes()) == {("calls", call.pk, "hidden"), ("contacts", call.contact_id, "hidden")}


def test_client_goes_on_after_its_last_event(acme, csr, hub):
    first = Listener(hub, csr)
    contact = factories.ContactFactory(company=acme)
    poll(hub)
    [(cursor, changes)] = first.read()
    hub.leave(first.client)
    missed = factories.ContactFactory(company=acme)
    settle()
    again = hub.connect(new_ticket(csr), cursor, lambda: None)
    assert changes == [("contacts", contact.pk, "updated")]
    assert str(missed.pk) in again.messages[0].decode()
    poll(hub)
    assert len(again.messages) == 1  # nothing twice


def test_cursor_of_another_user_is_refused(csr, manager, hub):
    cursor = Listener(hub, manager).after
    with pytest.raises(InvalidCursor):
        Listener(hub, csr, cursor)


def test_background_task_reaches_its_user_alone_among_those_of_one_role(acme, csr, hub):
    others = [factories.UserFactory(company=acme, role="csr") for _ in range(2)]
    listeners = [Listener(hub, user) for user in (csr, *others)]
    task = factories.BackgroundTaskFactory(company=acme, requested_by=csr)
    line = factories.PhoneLineFactory(company=acme)
    poll(hub)
    common = [("phone-lines", line.pk, "updated")]
    assert [each.changes() for each in listeners] == [
        [("background-tasks", task.pk, "updated"), *common],
        common,
        common,
    ]


def test_client_after_a_restored_backup_misses_nothing_beside_those_of_before(acme, csr, hub):
    hub.positions[acme.pk] = Position(10**15)  # transactions had greater numbers
    listener = Listener(hub, csr)
    contact = factories.ContactFactory(company=acme)
    poll(hub)
    assert listener.changes() == [("contacts", contact.pk, "updated")]


def test_slow_client_is_told_to_connect_again(acme, csr, hub, monkeypatch):
    monkeypatch.setattr(hub_module, "MAX_WAITING", 3)
    slow, quick = Listener(hub, csr), Listener(hub, csr)
    for _ in range(5):
        factories.ContactFactory(company=acme)
        poll(hub)
        assert len(quick.changes()) == 1
    assert (len(slow.client.messages), slow.client.ending) == (0, b"event: reconnect\ndata: {}\n\n")


@pytest.mark.parametrize("change", ["role", "company", "no company"])
def test_changed_user_connects_again(change, csr, manager, globex, hub):
    changed, same = Listener(hub, csr), Listener(hub, manager)
    values = {"role": {"role": "rep"}, "company": {"company": globex}}
    left = {"company": None, "role": "", "is_staff": True}
    User.accounts.filter(pk=csr.pk).update(**values.get(change, left))
    poll(hub)
    assert changed.client.ending
    assert not same.client.ending


def test_poll_is_one_statement_for_all_clients(acme, csr, manager, outsider, hub):
    listeners = [Listener(hub, user) for user in (csr, csr, manager, outsider)]
    factories.ContactFactory(company=acme)
    settle()
    with CountQueries() as asked:
        hub.poll()
    assert statements(asked) == (1 if connection.vendor == "postgresql" else 4)  # SQLite: two for each company
    for listener in listeners:
        hub.leave(listener.client)
    with CountQueries() as asked:
        hub.poll()
    assert statements(asked) == 0


# --- The process ---


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

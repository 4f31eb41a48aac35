"""`manage.py stream`: the changes as server-sent events."""

import pytest
from django.db import connection
from rest_framework.test import APIClient

from crm.api.tokens import SESSION, SessionToken
from crm.changes import tickets
from crm.changes.cursors import InvalidCursor, Position
from crm.changes.tickets import InvalidTicket, issue_ticket, use_ticket
from crm.models import User
from crm.stream import hub as hub_module
from crm.stream.hub import Hub
from tests import factories
from tests.api.feed import settle, statements
from tests.api.stream_client import Listener, new_ticket
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db(transaction=True)
TICKET_URL = "/api/v1/events/ticket"


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

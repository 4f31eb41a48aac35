"""Cursors of `changes`: invalid, foreign and old ones, and transactions that commit out of order."""

from datetime import timedelta
from threading import Thread

import pytest
from django.core.signing import Signer
from django.db import connection, connections, transaction
from django.utils.timezone import now

from crm.changes import cursors, retention
from crm.changes.cursors import Cursor, Position, write_cursor
from crm.db.tenancy import all_tenants, tenant
from crm.models import Change, PhoneLine, User
from tests import factories
from tests.api.feed import URL, Client, execute, settle, statements
from tests.conftest import postgres_only, signed_in
from tests.count_queries import CountQueries

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cursor", ["nonsense", "WzFd:abc", "a" * 500, "-"])
def test_invalid_cursor_is_named(cursor, csr_api):
    response = csr_api.get(URL, {"after": cursor})
    assert response.status_code == 400
    assert "after" in str(response.json())


def test_cursor_of_another_user_is_refused(csr_api, manager_api, outsider_api):
    cursor = csr_api.get(URL).json()["next"]
    for api in (manager_api, outsider_api):
        response = api.get(URL, {"after": cursor})
        assert response.status_code == 400
        assert "after" in str(response.json())


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "many"}, {"since": "1"}])
def test_invalid_parameter_is_named(query, csr_api):
    response = csr_api.get(URL, query)
    assert response.status_code == 400
    assert next(iter(query)) in str(response.json())


@pytest.mark.parametrize("fallbacks", [[], ["an earlier key"]])
def test_cursors_are_signed_as_django_signs(fallbacks):
    theirs = Signer(key=fallbacks[0] if fallbacks else None, salt="crm.changes")
    ours = cursors.CursorSigner(salt="crm.changes", fallback_keys=fallbacks)
    values = [3, 1, "rep", "7714.16385", 10**15, 7, 1_790_000_000]
    assert ours.unsign_object(theirs.sign_object(values), serializer=cursors.CursorJSON) == values
    if not fallbacks:
        assert ours.sign_object(values, serializer=cursors.CursorJSON) == theirs.sign_object(values)


def expired(api, cursor):
    response = api.get(URL, {"after": cursor})
    return response.status_code == 410 and "cursor_expired" in str(response.json())


def test_old_cursor_has_expired(csr, csr_api):
    page_of = {hours: now() - timedelta(hours=hours) for hours in (47, 49)}
    history = cursors._signer.unsign_object(csr_api.get(URL).json()["next"])[3]
    texts = {hours: write_cursor(Cursor(Position(), history, at), csr) for hours, at in page_of.items()}
    assert csr_api.get(URL, {"after": texts[47]}).status_code == 200
    assert expired(csr_api, texts[49])


def test_cursor_of_another_history_has_expired(csr, csr_api):
    assert expired(csr_api, write_cursor(Cursor(Position(), "another cluster", now()), csr))


def test_cursor_expires_with_the_role(rep):
    cursor = signed_in(rep).get(URL).json()["next"]
    User.accounts.filter(pk=rep.pk).update(role="csr")
    assert expired(signed_in(User.accounts.get(pk=rep.pk)), cursor)


def test_changes_that_no_cursor_reaches_are_removed(acme, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    execute("DELETE FROM changes")  # of the fixtures
    for hours in (99, 51, 51, 49, 1):
        factories.ChangeFactory(company=acme, at=now() - timedelta(hours=hours))
    retention.remove_expired_changes()
    with all_tenants():
        kept = Change.objects.filter(resource="contacts", xid=0, at__lt=now() - timedelta(minutes=30))
        assert kept.count() == 2


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_change_of_a_transaction_that_commits_late_is_not_lost(acme, csr):
    client = Client(csr)
    late = connection.copy()
    try:
        late.set_autocommit(False)
        with late.cursor() as cursor:
            cursor.execute("SELECT set_config('crm.all_companies', 'on', false)")
            cursor.execute("UPDATE companies SET name = 'First' WHERE id = %s", [acme.pk])
            contact = factories.ContactFactory(company=acme)  # a later transaction, committed first
            assert client.page().json()["results"] == []
        late.commit()
        assert set(client.poll()) == {("company", acme.pk, "updated"), ("contacts", contact.pk, "updated")}
        assert client.poll() == []
    finally:
        late.close()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_client_that_was_offline_misses_no_change_of_concurrent_writers(acme, csr):
    # SQLite has no queue for its lock: of many writers without a pause, one may wait for longer than the timeout.
    writers, each = (5, 200) if connection.vendor == "postgresql" else (2, 500)
    lines = [factories.PhoneLineFactory(company=acme) for _ in range(writers)]
    offline, online = Client(csr, limit=300), Client(csr)
    made, failures = [], []

    def write(line):
        try:
            for n in range(each // 10):
                with tenant(acme.pk), transaction.atomic():
                    made.extend(factories.ContactFactory(company_id=acme.pk).pk for _ in range(9))
                    PhoneLine.objects.filter(pk=line.pk).update(name=f"Line {n}")
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=write, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        seen.update((each["resource"], each["id"], each["change"]) for each in online.page().json()["results"])
    seen.update(online.poll())
    assert not failures
    expected = {("contacts", pk, "updated") for pk in made} | {("phone-lines", line.pk, "updated") for line in lines}
    assert len(made) == writers * each * 9 // 10
    assert expected - seen == set()
    assert expected - set(offline.poll()) == set()


@pytest.mark.django_db(transaction=True)
def test_replica_must_have_the_changes_that_the_user_was_told(acme, csr, settings, monkeypatch):
    recorded = []
    monkeypatch.setattr("crm.api.changes.record_write", recorded.append)
    settings.REPLICAS = ["default"]  # any alias that exists
    client = Client(csr)
    client.poll()
    assert recorded == [csr.pk]  # with the cursor; nothing has changed since
    factories.ContactFactory(company=acme)
    client.poll()
    assert recorded == [csr.pk, csr.pk]


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_poll_is_one_statement_and_for_a_rep_with_changes_two(acme, csr, rep):
    clients = [Client(csr), Client(rep)]
    counts = []
    for client in clients:
        client.poll()
        with CountQueries() as idle:
            client.page()
        contact = factories.CallFactory(contact__company=acme, assigned_rep=rep).contact
        factories.LeadFactory(contact=contact)
        factories.ActivityFactory(contact=contact)
        settle()
        with CountQueries() as busy:
            client.page()
        counts.append((statements(idle), statements(busy)))
    assert counts == [(1, 1), (1, 2)]

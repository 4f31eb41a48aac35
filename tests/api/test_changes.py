"""`changes`: what has changed since a cursor."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, connections, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils.timezone import now

from crm.changes import cursors, retention
from crm.changes.cursors import Cursor, Position, write_cursor
from crm.db.audit_context import audit_disabled
from crm.db.change_feed import CreateFeedTriggers, Feed
from crm.db.tenancy import all_tenants, tenant
from crm.db.triggers import declared_triggers
from crm.models import Change, Contact, PhoneLine, User
from tests import factories
from tests.api.response_schema import differences
from tests.conftest import postgres_only, signed_in
from tests.count_queries import CountQueries
from tests.db.scratch import wait_until

pytestmark = pytest.mark.django_db
URL = "/api/v1/changes"
FEEDS = {model._meta.db_table: (model, feed) for model, feed in declared_triggers(Feed)}
FACTORIES = {factory._meta.model: factory for factory in vars(factories).values() if hasattr(factory, "_meta")}
# By table, a column that clients see, with another value.
SEEN_COLUMN = {
    "activities": ("body", "Has a cat."),
    "appointments": ("notes", "Knock twice."),
    "call_analysis": ("summary", "Wants a quote."),
    "call_details": ("summary", "Wants a quote."),
    "calls": ("to_number", "+12125550199"),
    "campaign_memberships": ("reason", "No number."),
    "campaigns": ("name", "Autumn check"),
    "companies": ("name", "Acme Roofs"),
    "contact_flags": ("reason", "Asked for it."),
    "contact_phones": ("label", "home"),
    "contacts": ("first_name", "Kim"),
    "conversations": ("status", "closed"),
    "invoices": ("number", "INV-9"),
    "leads": ("notes", "Wants a quote."),
    "message_threads": ("error", "Unreachable."),
    "missed_callers": ("text_back_reason", "No line."),
    "opt_outs": ("state", "clear"),
    "phone_lines": ("name", "Sales"),
    "users": ("first_name", "Robin"),
}


def settle():
    """Wait for the transactions that run now, also those of tests in other processes: they hold all changes back."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        [[last]] = rows_of("SELECT txid_current()")
        wait_until(lambda: rows_of("SELECT txid_snapshot_xmin(txid_current_snapshot())")[0][0] > last)


def rows_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def statements(asked):
    """Return the number of statements, without those that count requests."""
    return len([query for query in asked.captured_queries if "minute_counters" not in query["sql"]])


class Client:
    """A client that polls."""

    def __init__(self, user, limit=None):
        self.api = signed_in(user)
        self.limit = {} if limit is None else {"limit": limit}
        settle()
        self.after = self.api.get(URL).json()["next"]

    def page(self):
        response = self.api.get(URL, {"after": self.after, **self.limit})
        assert response.status_code == 200, response.content
        self.after = response.json()["next"]
        return response

    def poll(self):
        """Return what has changed, as (resource, id, change)."""
        settle()
        changes, more = [], True
        while more:
            response = self.page()
            changes += [(each["resource"], each["id"], each["change"]) for each in response.json()["results"]]
            more = response["Poll-After"] == "0"
        return changes


def make(table, company):
    model = FEEDS[table][0]
    if table == "companies":
        return company
    if table == "opt_outs":
        return factories.OptOutFactory(company=company, decided_at=now())
    if table == "call_details":
        return factories.CallDetailFactory(call__contact__company=company)
    if table == "call_analysis":
        return factories.CallAnalysisFactory(call__contact__company=company)
    if issubclass(FACTORIES[model], factories.OfContactFactory):
        return FACTORIES[model](contact__company=company)
    return FACTORIES[model](company=company)


def execute(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_first_answer_is_a_cursor_alone(acme, csr_api):
    factories.ContactFactory(company=acme)
    response = csr_api.get(URL)
    assert response.json().keys() == {"results", "next"}
    assert response.json()["results"] == []
    assert response["Poll-After"] == "2"


def test_nothing_has_changed(csr):
    assert Client(csr).poll() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", FEEDS)
def test_every_write_to_a_row_is_a_change(table, acme, manager):
    client = Client(manager)
    row = make(table, acme)
    model, feed = FEEDS[table]
    [key] = [field.attname for field in model._meta.concrete_fields if field.column == feed.key]
    resource, object_id = feed.resource, getattr(row, key)
    if table != "companies":
        assert (resource, object_id, "updated") in client.poll()
    column, value = SEEN_COLUMN[table]
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)
    assert client.poll() == [(resource, object_id, "updated")]
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)
    assert client.poll() == []
    if table not in ("companies", "contacts", "phone_lines"):
        execute(f"DELETE FROM {table} WHERE id = %s", row.pk)
        change = "deleted" if feed.key == "id" else "updated"
        assert client.poll() == [(resource, object_id, change)]


def test_every_table_with_a_feed_has_a_case():
    assert set(SEEN_COLUMN) == set(FEEDS)


def test_migrations_create_the_triggers_that_models_declare():
    recorded = {
        (label, operation.model_name): operation.feed
        for (label, _), migration in MigrationLoader(None).disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, CreateFeedTriggers)
    }
    assert recorded == {(model._meta.app_label, model._meta.model_name): feed for model, feed in FEEDS.values()}


@pytest.mark.django_db(transaction=True)
def test_object_is_listed_once_in_its_newest_state(acme, csr):
    contact = factories.ContactFactory(company=acme)
    client = Client(csr)
    with all_tenants():
        Contact.objects.filter(pk=contact.pk).update(first_name="Kay")
        Contact.objects.filter(pk=contact.pk).update(first_name="Kim")
    settle()
    body = client.page().json()
    assert [(each["resource"], each["id"], each["change"]) for each in body["results"]] == [
        ("contacts", contact.pk, "updated")
    ]
    assert differences(URL, body) == []


@pytest.mark.django_db(transaction=True)
def test_next_page_begins_where_the_page_ends(acme, csr):
    client = Client(csr, limit=2)
    lines = [factories.PhoneLineFactory(company=acme) for _ in range(5)]
    settle()
    found = [client.page() for _ in range(3)]
    assert [response["Poll-After"] for response in found] == ["0", "0", "2"]
    assert [each["id"] for response in found for each in response.json()["results"]] == [line.pk for line in lines]
    assert client.poll() == []


@pytest.mark.django_db(transaction=True)
def test_columns_that_nobody_sees_are_no_change(acme, manager):
    line, client = factories.PhoneLineFactory(company=acme), Client(manager)
    with all_tenants():
        PhoneLine.objects.filter(pk=line.pk).update(next_send_at=now(), sent_segments=3)
        User.objects.filter(pk=manager.pk).update(last_login=now())
    assert client.poll() == []


@pytest.mark.django_db(transaction=True)
def test_rollback_leaves_no_change(acme, csr):
    client = Client(csr)
    with transaction.atomic():
        factories.ContactFactory(company=acme)
        transaction.set_rollback(True)
    assert client.poll() == []


def test_demo_data_are_not_recorded(acme):
    with transaction.atomic(), audit_disabled():
        contact = factories.ContactFactory(company=acme)
    with all_tenants():
        assert not Change.objects.filter(object_id=contact.pk, resource="contacts").exists()


@pytest.mark.django_db(transaction=True)
def test_other_company_learns_nothing(acme, csr, outsider):
    client = Client(outsider)
    contact = factories.ContactFactory(company=acme)
    factories.CallFactory(contact=contact)
    assert client.poll() == []


@pytest.mark.django_db(transaction=True)
def test_role_without_a_resource_learns_nothing_of_it(acme, csr, manager):
    clients = Client(csr), Client(manager)
    user = factories.UserFactory(company=acme)
    assert [client.poll() for client in clients] == [[], [("users", user.pk, "updated")]]


# --- Reps ---


@pytest.mark.django_db(transaction=True)
def test_rep_learns_of_own_rows_alone(acme, rep):
    client = Client(rep)
    contact = factories.ContactFactory(company=acme)
    other = factories.UserFactory(company=acme, role="rep")
    call = factories.CallFactory(contact=contact, assigned_rep=other)
    factories.LeadFactory(contact=contact)
    assert client.poll() == []
    appointment = factories.AppointmentFactory(contact=contact, assigned_rep=rep)
    assert set(client.poll()) == {("appointments", appointment.pk, "updated"), ("contacts", contact.pk, "updated")}
    execute("UPDATE calls SET to_number = '+12125550199' WHERE id = %s", call.pk)  # of the same contact, but not hers
    assert client.poll() == []
    lead = factories.LeadFactory(contact=contact)
    assert client.poll() == [("leads", lead.pk, "updated")]
    execute("DELETE FROM leads WHERE id = %s", lead.pk)
    assert client.poll() == [("leads", lead.pk, "deleted")]


@pytest.mark.django_db(transaction=True)
def test_rep_learns_that_a_row_leaves_her_reach(acme, rep):
    call = factories.CallFactory(contact__company=acme, assigned_rep=rep)
    other = factories.UserFactory(company=acme, role="rep")
    client, others = Client(rep), Client(other)
    execute("UPDATE calls SET assigned_rep_id = %s WHERE id = %s", other.pk, call.pk)
    expected = {("calls", call.pk), ("contacts", call.contact_id)}
    assert set(client.poll()) == {(*each, "hidden") for each in expected}
    assert set(others.poll()) == {(*each, "updated") for each in expected}
    factories.LeadFactory(contact=call.contact)
    execute("UPDATE calls SET to_number = '+12125550199' WHERE id = %s", call.pk)
    execute("UPDATE contacts SET first_name = 'Kim' WHERE id = %s", call.contact_id)
    assert client.poll() == []


@pytest.mark.django_db(transaction=True)
def test_rep_who_keeps_an_appointment_keeps_the_contact(acme, rep):
    call = factories.CallFactory(contact__company=acme, assigned_rep=rep)
    factories.AppointmentFactory(contact=call.contact, assigned_rep=rep)
    client = Client(rep)
    execute("UPDATE calls SET assigned_rep_id = NULL WHERE id = %s", call.pk)
    assert set(client.poll()) == {("calls", call.pk, "hidden"), ("contacts", call.contact_id, "updated")}


@pytest.mark.django_db(transaction=True)
def test_rep_learns_nothing_of_another_reps_call_activity(acme, rep):
    contact = factories.AppointmentFactory(contact__company=acme, assigned_rep=rep).contact
    client = Client(rep)
    foreign = factories.ActivityFactory(contact=contact, activity_type="call", direction="incoming")
    note = factories.ActivityFactory(contact=contact)
    execute("UPDATE activities SET body = 'x' WHERE id = %s", foreign.pk)
    assert client.poll() == [("activities", note.pk, "updated")]


# --- Cursors ---


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


# --- Order of commits, statements ---


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
    writers, each = 5, 200
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


# --- updated_at ---

STAMPED = {table: model for table, (model, _) in FEEDS.items() if "updated_at" in {f.name for f in model._meta.fields}}
EVIDENCE = {"call_analysis", "call_details"}  # which no user changes


def stamp_of(model, pk):
    return model._base_manager.values_list("updated_at", flat=True).get(pk=pk)


def test_every_row_that_can_change_has_a_time_of_its_change():
    assert set(FEEDS) - set(STAMPED) == EVIDENCE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", STAMPED)
def test_every_change_of_a_row_sets_its_time(table, acme):
    model, (column, value) = STAMPED[table], SEEN_COLUMN[table]
    row, before = make(table, acme), now() - timedelta(days=1)
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)
    changed = stamp_of(model, row.pk)
    assert changed > before
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)  # the same again
    assert stamp_of(model, row.pk) == changed


def test_columns_that_nobody_sees_leave_the_time_of_a_change(acme):
    line = factories.PhoneLineFactory(company=acme)
    before = stamp_of(PhoneLine, line.pk)
    execute("UPDATE phone_lines SET sent_segments = 3 WHERE id = %s", line.pk)
    assert stamp_of(PhoneLine, line.pk) == before


def test_change_shows_its_time_to_the_client(acme, csr_api):
    contact = factories.ContactFactory(company=acme)
    execute("UPDATE contacts SET updated_at = %s WHERE id = %s", now() - timedelta(days=9), contact.pk)
    before = csr_api.get(f"/api/v1/contacts/{contact.pk}").json()["updated_at"]
    answer = csr_api.patch(f"/api/v1/contacts/{contact.pk}", {"city": "Denver"}).json()["updated_at"]
    assert before < answer == csr_api.get(f"/api/v1/contacts/{contact.pk}").json()["updated_at"]

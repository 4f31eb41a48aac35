"""`changes`: what has changed since a cursor, and who learns of it."""

import pytest
from django.db import transaction
from django.db.migrations.loader import MigrationLoader
from django.utils.timezone import now

from crm.api.base.roles import grant_for
from crm.api.seen_changes import NO_ID, _statement_of_reach, models_by_resource
from crm.choices import Role
from crm.db.audit_context import audit_disabled
from crm.db.change_feed import CreateFeedTriggers
from crm.db.tenancy import all_tenants, tenant
from crm.models import Change, Contact, PhoneLine, User
from tests import factories
from tests.api.feed import BESIDE, FEEDS, SEEN_COLUMN, URL, Client, execute, make, settle
from tests.api.response_schema import differences

pytestmark = pytest.mark.django_db


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
    beside = [(other, getattr(row, name), "updated") for other, name in BESIDE.get(table, ())]
    if table != "companies":
        assert {(resource, object_id, "updated"), *beside} <= set(client.poll())
    column, value = SEEN_COLUMN[table]
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)
    assert client.poll() == [(resource, object_id, "updated"), *beside]
    execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk)
    assert client.poll() == []
    if table not in ("companies", "contacts", "phone_lines"):
        execute(f"DELETE FROM {table} WHERE id = %s", row.pk)
        change = "deleted" if feed.key == "id" else "updated"
        if table == "users":
            beside = [(*beside[0][:2], change)]
        assert client.poll() == [(resource, object_id, change), *beside]


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
    colleague = ("colleagues", user.pk, "updated")
    assert [client.poll() for client in clients] == [[colleague], [("users", user.pk, "updated"), colleague]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("becomes_staff", [False, True])
def test_user_who_moves_to_another_company_is_gone_from_the_former(becomes_staff, acme, globex, manager, outsider):
    user = factories.UserFactory(company=acme)
    clients = Client(manager), Client(outsider)
    values = {"company": None, "role": "", "is_staff": True} if becomes_staff else {"company": globex}
    User.accounts.filter(pk=user.pk).update(**values)
    seen = [[(resource, user.pk, change) for resource in ("users", "colleagues")] for change in ("deleted", "updated")]
    assert [client.poll() for client in clients] == [seen[0], [] if becomes_staff else seen[1]]
    User.accounts.filter(pk=user.pk).update(first_name="Robin")
    assert [client.poll() for client in clients] == [[], [] if becomes_staff else seen[1]]


@pytest.mark.django_db(transaction=True)
def test_message_is_held_until_it_is_decided(acme, csr, manager):
    contact = factories.ContactFactory(company=acme)
    clients = Client(csr), Client(manager)
    thread = ("message-threads", contact.pk, "updated")

    def told():
        return [set(client.poll()) - {thread} for client in clients]

    queued = factories.MessageFactory(contact=contact, direction="outgoing", status="failed")
    activities = [("activities", queued.activity_id, "updated")]
    assert told() == [{*activities}] * 2
    for status, change in {"held": "updated", "failed": "deleted"}.items():
        execute("UPDATE message_threads SET status = %s WHERE id = %s", status, queued.pk)
        assert told() == [set(), {("held-messages", queued.pk, change)}]
    execute("UPDATE message_threads SET body = 'x' WHERE id = %s", queued.pk)
    assert told() == [set(), set()]


@pytest.mark.django_db(transaction=True)
def test_flag_that_moves_changes_both_contacts(acme, csr):
    flag, other = factories.ContactFlagFactory(contact__company=acme), factories.ContactFactory(company=acme)
    client = Client(csr)
    execute("UPDATE contact_flags SET contact_id = %s WHERE id = %s", other.pk, flag.pk)
    assert set(client.poll()) == {
        ("contact-flags", flag.pk, "updated"),
        ("contacts", flag.contact_id, "updated"),
        ("contacts", other.pk, "updated"),
    }


@pytest.mark.django_db(transaction=True)
def test_rep_learns_of_a_flag_of_own_contacts_alone(acme, rep):
    own = factories.CallFactory(contact__company=acme, assigned_rep=rep).contact
    stranger = factories.CallFactory(contact__company=acme).contact
    client = Client(rep)
    factories.ContactFlagFactory(contact=stranger)
    flag = factories.ContactFlagFactory(contact=own)
    assert client.poll() == [("contact-flags", flag.pk, "updated"), ("contacts", own.pk, "updated")]


@pytest.mark.django_db(transaction=True)
def test_rep_learns_of_own_rows_alone(acme, rep):
    other = factories.UserFactory(company=acme, role="rep")
    client = Client(rep)
    contact = factories.ContactFactory(company=acme)
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


@pytest.mark.django_db(transaction=True)
def test_rep_learns_that_a_task_is_no_longer_hers(acme, csr, rep):
    assigned, deleted = (factories.TaskFactory(contact__company=acme, assignee=rep) for _ in range(2))
    client = Client(rep)
    execute("UPDATE tasks SET assignee_id = %s WHERE id = %s", csr.pk, assigned.pk)
    execute("DELETE FROM tasks WHERE id = %s", deleted.pk)
    assert client.poll() == [("tasks", assigned.pk, "hidden"), ("tasks", deleted.pk, "deleted")]
    execute("UPDATE tasks SET title = 'x' WHERE id = %s", assigned.pk)
    assert client.poll() == []


@pytest.mark.django_db(transaction=True)
def test_background_task_is_told_to_those_who_see_it(acme, csr, manager):
    clients = [Client(user) for user in (csr, factories.UserFactory(company=acme, role="csr"), manager)]
    for client in clients:
        client.poll()
    task = factories.BackgroundTaskFactory(company=acme, requested_by=csr)
    for statement, change in [("UPDATE {} SET total = 3", "updated"), ("DELETE FROM {}", "deleted")]:
        execute(f"{statement.format('background_tasks')} WHERE id = %s", task.pk)
        told = [("background-tasks", task.pk, change)]
        assert [client.poll() for client in clients] == [told, [], told]


@pytest.mark.parametrize("role", Role.values)
def test_statement_of_reach_is_kept_without_ids_and_times(role, acme):
    own = [resource for resource in models_by_resource() if grant_for(role, resource).own]
    if not own:
        return
    with tenant(acme.pk):
        sql, parameters = _statement_of_reach(role, acme.pk, tuple((resource, 2) for resource in own))
    left_out = [each for each in parameters if isinstance(each, int) and each <= NO_ID]
    assert {*left_out} == {NO_ID - n for n in range(1 + 2 * len(own))}
    kept = [each for each in parameters if each not in left_out]
    assert all(isinstance(each, str | int) for each in kept)
    assert {each for each in kept if isinstance(each, int)} <= {acme.pk, *range(3)}
    assert "now" not in sql.lower()


@pytest.mark.django_db(transaction=True)
def test_two_reps_with_as_many_changes_are_told_of_own_ones(acme, globex, rep):
    reps = [rep, *(factories.UserFactory(company=company, role="rep") for company in (acme, globex))]
    clients = [Client(each) for each in reps]
    calls = [factories.CallFactory(contact__company=each.company, assigned_rep=each) for each in reps for _ in range(3)]
    for n, client in enumerate(clients):
        own = calls[3 * n : 3 * n + 3]
        found = {("calls", call.pk, "updated") for call in own} | {
            ("contacts", call.contact_id, "updated") for call in own
        }
        assert set(client.poll()) == found

"""Reps see the calls and appointments assigned to them, and the contacts of those."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from crm.api.base.roles import PERMISSIONS, grant_for
from crm.choices import Role
from crm.db.tenancy import tenant
from crm.models import Activity, ContactFlag
from tests.api.resources import RESOURCES, read_only_fields
from tests.errors import errors_of
from tests.factories import (
    ActivityFactory,
    AppointmentFactory,
    CallFactory,
    ContactFactory,
    MessageFactory,
    UserFactory,
)

OWN = [resource for resource in PERMISSIONS if grant_for(Role.REP, resource).own]
# Of calls, contacts and appointments, without a list of their own: see tests/calls/test_uploads.py.
ATTACHMENTS = {"attachments", "contacts/attachments"}
SLOTS = "slots"  # no rows: see tests/calls/test_slots.py
OF_USER = "background-tasks"  # of no contact: see tests/api/test_export_tasks.py
OWN_LISTS = [resource for resource in RESOURCES if resource.route in OWN and resource.route != OF_USER]
every_own_list = pytest.mark.parametrize("resource", OWN_LISTS, ids=str)


def make_row(resource, rep, *, by=CallFactory):
    """Return a row of the rep with a new contact, which a row of the factory `by` assigns if the row itself can't."""
    contact = ContactFactory(company=rep.company)
    if resource.route == "call-analyses":
        return resource.factory(call=CallFactory(contact=contact, assigned_rep=rep))
    if resource.route == "time-off":  # of no contact
        return resource.factory(company=rep.company, rep=rep)
    if resource.route == "appointment-proposals":
        appointment = AppointmentFactory(contact=contact, assigned_rep=rep, allow_overlap=True)
        return resource.factory(appointment=appointment, created_by=rep)
    if resource.route == "calendar-feeds":  # of many, one is in force
        return resource.factory(company=rep.company, user=rep, revoked_at=now())
    if resource.route == "tasks":
        return resource.factory(contact=contact, assignee=rep)
    if resource.route == "appointments":
        by = resource.factory
    elif resource.route in ("calls", "dashboard/calls"):
        by = CallFactory
    row = by(contact=contact, assigned_rep=rep, **({"allow_overlap": True} if by is AppointmentFactory else {}))
    if by is resource.factory:
        return row
    return contact if resource.route == "contacts" else resource.factory(contact=contact)


@pytest.fixture
def colleague(acme):
    return UserFactory(company=acme, role="rep")


@pytest.fixture
def stranger(colleague):
    """A contact of another rep."""
    return CallFactory(contact=ContactFactory(company=colleague.company), assigned_rep=colleague).contact


def test_every_list_of_own_rows_is_tested_here():
    assert {resource.route for resource in OWN_LISTS} | ATTACHMENTS | {
        "contacts/phones",
        "message-threads",
        "messages",
        OF_USER,
        SLOTS,
    } == set(OWN)


@pytest.mark.parametrize("by", [CallFactory, AppointmentFactory])
@every_own_list
def test_rep_sees_only_own_rows(resource, by, rep, rep_api, colleague):
    own, other = make_row(resource, rep, by=by), make_row(resource, colleague, by=by)
    page = rep_api.get(f"{resource.url}?count=1").json()
    assert [row["id"] for row in page["results"]] == [own.pk]
    assert page["count"] == 1
    if resource.detail:
        assert rep_api.get(f"{resource.url}/{own.pk}").status_code == 200
        assert rep_api.get(f"{resource.url}/{other.pk}").status_code == 404


@every_own_list
def test_list_of_own_rows_takes_a_constant_number_of_queries(resource, rep, rep_api):
    counts = []
    make_row(resource, rep)
    rep_api.get(resource.url)  # fills caches of the process
    for more in (0, 2):
        for _ in range(more):
            make_row(resource, rep)
        with CaptureQueriesContext(connection) as queries:
            rep_api.get(resource.url)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("resource", [r for r in OWN_LISTS if r.has_contact], ids=str)
def test_filter_does_not_reveal_other_rows_to_a_rep(resource, rep, rep_api, colleague):
    make_row(resource, rep)
    other = make_row(resource, colleague)
    owners = {"call-analyses": "call", "appointment-proposals": "appointment"}
    owner = getattr(other, owners[resource.route]) if resource.route in owners else other
    contact = owner.contact
    assert rep_api.get(f"{resource.url}?contact={contact.pk}").json()["results"] == []


def test_search_of_a_rep_finds_only_own_contacts(rep, rep_api, stranger):
    own = CallFactory(contact=ContactFactory(company=rep.company), assigned_rep=rep).contact
    found = rep_api.get("/api/v1/contacts", {"search": "Casey"}).json()["results"]
    assert [row["id"] for row in found] == [own.pk]
    assert rep_api.get("/api/v1/contacts", {"search": stranger.phone}).json()["results"] == []


def test_contact_of_several_calls_and_appointments_is_listed_once(rep, rep_api):
    contact = ContactFactory(company=rep.company)
    CallFactory.create_batch(2, contact=contact, assigned_rep=rep)
    AppointmentFactory.create_batch(2, contact=contact, assigned_rep=rep, allow_overlap=True)
    assert [row["id"] for row in rep_api.get("/api/v1/contacts").json()["results"]] == [contact.pk]


def test_contact_follows_the_assignment_of_its_call(rep, rep_api, colleague):
    call = CallFactory(contact=ContactFactory(company=rep.company), assigned_rep=rep)
    assert rep_api.get(f"/api/v1/contacts/{call.contact.pk}").status_code == 200
    call.assigned_rep = colleague
    call.save()
    assert rep_api.get(f"/api/v1/contacts/{call.contact.pk}").status_code == 404


def test_rep_reads_only_messages_of_own_contacts(rep, rep_api, stranger):
    own = CallFactory(contact=ContactFactory(company=rep.company), assigned_rep=rep).contact
    message = MessageFactory(contact=own)
    MessageFactory(contact=stranger)
    read = rep_api.get(f"/api/v1/message-threads/{own.pk}").json()["results"]
    assert [row["id"] for row in read] == [message.pk]
    assert rep_api.get(f"/api/v1/message-threads/{stranger.pk}").status_code == 404


@pytest.mark.parametrize(
    ("route", "model", "body"),
    [("activities", Activity, {"body": "Has a dog."}), ("contact-flags", ContactFlag, {"flag_type": "opted_out"})],
)
def test_rep_writes_only_to_own_contacts(route, model, body, rep, rep_api, stranger, acme):
    own = CallFactory(contact=ContactFactory(company=acme), assigned_rep=rep).contact
    assert rep_api.post(f"/api/v1/{route}", body | {"contact": own.pk}).status_code == 201
    hidden, missing = (rep_api.post(f"/api/v1/{route}", body | {"contact": pk}) for pk in (stranger.pk, 999_999))
    assert hidden.status_code == missing.status_code == 400
    assert str(errors_of(hidden)).replace(str(stranger.pk), "999999") == str(errors_of(missing))
    with tenant(acme.pk):
        assert [row.contact for row in model.objects.all()] == [own]


def test_rep_records_the_outcome_of_an_own_call(rep, rep_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme), assigned_rep=rep, status="awaiting_quote")
    outcome = {"status": "lost", "reason_for_lost_sale": "Price", "quoted_price": "900.00"}
    answer = rep_api.patch(f"/api/v1/calls/{call.pk}", outcome)
    assert answer.status_code == 200
    assert answer.json().items() >= outcome.items()


@pytest.mark.parametrize(("route", "factory"), [("calls", CallFactory), ("appointments", AppointmentFactory)])
def test_rep_cannot_reassign_rows(route, factory, rep, rep_api, colleague, acme):
    own = factory(contact=ContactFactory(company=acme), assigned_rep=rep)
    others = [factory(contact=ContactFactory(company=acme), assigned_rep=assignee) for assignee in (colleague, None)]
    for value in (colleague.pk, None):
        answer = rep_api.patch(f"/api/v1/{route}/{own.pk}", {"assigned_rep": value, "status": "cancelled"})
        assert answer.status_code == 400
        assert list(errors_of(answer)) == ["assigned_rep"]
    for row in others:
        assert rep_api.patch(f"/api/v1/{route}/{row.pk}", {"assigned_rep": rep.pk}).status_code == 404
    for row, assignee, status in zip((own, *others), (rep, colleague, None), [own.status] * 3, strict=True):
        row.refresh_from_db()
        assert (row.assigned_rep, row.status) == (assignee, status)


@pytest.mark.parametrize(("route", "factory"), [("calls", CallFactory), ("appointments", AppointmentFactory)])
def test_rep_may_send_back_unchanged_fields(route, factory, rep, rep_api, acme):
    row = factory(contact=ContactFactory(company=acme), assigned_rep=rep)
    url = f"/api/v1/{route}/{row.pk}"
    sent = {name: value for name, value in rep_api.get(url).json().items() if name not in read_only_fields(route)}
    answer = rep_api.patch(url, sent | {"status": "cancelled"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["status"] == "cancelled"


def test_appointment_change_does_not_reveal_hidden_contacts_to_a_rep(rep, rep_api, stranger, acme):
    appointment = AppointmentFactory(contact=ContactFactory(company=acme), assigned_rep=rep)
    hidden, missing = (
        rep_api.patch(f"/api/v1/appointments/{appointment.pk}", {"contact": pk}) for pk in (stranger.pk, 999_999)
    )
    assert hidden.status_code == 400
    assert errors_of(hidden) == errors_of(missing)


@pytest.mark.parametrize("suffix", ["", ":voicemail"])
def test_rep_sees_the_voicemails_of_own_calls_only(rep, rep_api, colleague, suffix):
    contact = ContactFactory(company=rep.company)
    voicemails = []
    for number, owner in enumerate([rep, colleague, None]):
        values = {"contact": contact, "direction": "incoming", "activity_type": "voicemail", "body": "Call me"}
        voicemail = ActivityFactory(**values, openphone_id=f"AC{number}{suffix}")
        activity = (
            ActivityFactory(**values | {"activity_type": "call"}, openphone_id=f"AC{number}") if suffix else voicemail
        )
        CallFactory(contact=contact, assigned_rep=owner, activity=activity)
        voicemails.append(voicemail.pk)
    page = rep_api.get(f"/api/v1/activities?contact={contact.pk}&activity_type=voicemail").json()
    assert [row["id"] for row in page["results"]] == voicemails[:1]

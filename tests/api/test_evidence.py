"""References and facts that a request may not set: other contacts' rows, users who left, what a provider reported."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils.timezone import now

from calls.models import Call
from crm.db.tenancy import all_tenants, tenant
from crm.models import Activity, Campaign, CampaignMembership, Contact, PhoneLine, User
from crm.services.conversations import resolve_conversation
from crm.services.event_lines import LineTaken
from crm.services.known_rows import KnownRows
from tests import factories
from tests.conftest import postgres_only, signed_in
from tests.errors import code_of, errors_of

API = "/api/v1"
TIMES = {"scheduled_start": "2026-03-03T16:00:00Z", "scheduled_end": "2026-03-03T17:00:00Z"}


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme)


@pytest.fixture
def other(acme):
    return factories.ContactFactory(company=acme)


def refused_fields(answer):
    assert answer.status_code == 400, answer.content
    return list(errors_of(answer))


# --- Users that a row is assigned to ----------------------------------------------------------------------------------

WRONG_REPS = [{"role": "csr"}, {"role": "manager"}, {"role": "rep", "is_active": False}]
WRONG_ASSIGNEES = [{"role": "rep"}, {"role": "csr", "is_active": False}]


@pytest.mark.parametrize("user", WRONG_REPS)
def test_rep_must_be_an_active_rep(csr_api, acme, contact, user):
    wrong = factories.UserFactory(company=acme, **user)
    call, appointment = factories.CallFactory(contact=contact), factories.AppointmentFactory(contact=contact)
    body = {"assigned_rep": wrong.pk}
    for answer in (
        csr_api.post(f"{API}/calls", body | {"contact": contact.pk}),
        csr_api.patch(f"{API}/calls/{call.pk}", body),
        csr_api.post(f"{API}/appointments", body | {"contact": contact.pk} | TIMES),
        csr_api.patch(f"{API}/appointments/{appointment.pk}", body),
    ):
        assert errors_of(answer) == {"assigned_rep": ["Must be an active Rep of your company."]}
        assert answer.status_code == 400


@pytest.mark.parametrize("user", WRONG_ASSIGNEES)
def test_assignee_must_be_an_active_manager_or_csr(csr_api, acme, contact, user):
    conversation = factories.ConversationFactory(contact=contact)
    wrong = factories.UserFactory(company=acme, **user)
    answer = csr_api.patch(f"{API}/conversations/{conversation.pk}", {"assignee": wrong.pk})
    assert errors_of(answer) == {"assignee": ["Must be an active Manager or CSR of your company."]}


def test_rep_who_left_stays_on_rows_that_are_changed(csr_api, rep, contact):
    call = factories.CallFactory(contact=contact, assigned_rep=rep)
    User.accounts.filter(pk=rep.pk).update(is_active=False)
    answer = csr_api.patch(f"{API}/calls/{call.pk}", {"assigned_rep": rep.pk, "quoted_price": "1.00"})
    assert (answer.status_code, answer.json()["assigned_rep"]) == (200, rep.pk)


@pytest.mark.parametrize("user", WRONG_REPS)
def test_admin_asks_for_an_active_rep(client, staff, acme, contact, user):
    client.force_login(staff)
    wrong = factories.UserFactory(company=acme, **user)
    form = {"status": "unbooked", "assigned_rep": wrong.pk}
    form |= {"appointments-TOTAL_FORMS": 0, "appointments-INITIAL_FORMS": 0}
    call = factories.CallFactory(contact=contact)
    page = client.post(reverse("admin:calls_call_change", args=[call.pk]), form)
    assert page.context["adminform"].form.errors == {"assigned_rep": ["Must be an active Rep."]}


# --- Rows of another contact ------------------------------------------------------------------------------------------


def test_lead_of_a_call_must_be_of_its_contact(csr_api, contact, other):
    foreign, own = factories.LeadFactory(contact=other), factories.LeadFactory(contact=contact)
    call = factories.CallFactory(contact=contact)
    assert refused_fields(csr_api.post(f"{API}/calls", {"contact": contact.pk, "lead": foreign.pk})) == ["lead"]
    assert refused_fields(csr_api.post(f"{API}/calls", {"lead": own.pk})) == ["lead"]
    assert refused_fields(csr_api.patch(f"{API}/calls/{call.pk}", {"lead": foreign.pk})) == ["lead"]
    assert csr_api.patch(f"{API}/calls/{call.pk}", {"lead": own.pk}).status_code == 200
    assert refused_fields(csr_api.patch(f"{API}/calls/{call.pk}", {"contact": other.pk})) == ["contact"]


def test_admin_refuses_a_lead_of_another_contact(client, staff, contact, other):
    client.force_login(staff)
    call = factories.CallFactory(contact=contact)
    form = {"status": "unbooked", "lead": factories.LeadFactory(contact=other).pk}
    form |= {"appointments-TOTAL_FORMS": 0, "appointments-INITIAL_FORMS": 0}
    page = client.post(reverse("admin:calls_call_change", args=[call.pk]), form)
    assert page.context["adminform"].form.errors == {"lead": ["This lead belongs to another contact."]}


def test_admin_refuses_to_move_an_appointment_away_from_its_calls_contact(client, staff, contact, other):
    client.force_login(staff)
    call = factories.CallFactory(contact=contact)
    appointment = factories.AppointmentFactory(contact=contact, call=call)
    form = {"contact": other.pk, "call": call.pk, "status": "scheduled", "timezone": "America/Denver"}
    form |= {"scheduled_start_0": "2026-03-02", "scheduled_start_1": "16:00"}
    form |= {"scheduled_end_0": "2026-03-02", "scheduled_end_1": "17:00"}
    page = client.post(reverse("admin:calls_appointment_change", args=[appointment.pk]), form)
    assert list(page.context["adminform"].form.errors) == ["contact"]


@pytest.mark.parametrize(("route", "factory"), [
    ("leads", factories.LeadFactory),
    ("contact-flags", factories.ContactFlagFactory),
    ("appointments", factories.AppointmentFactory),
])  # fmt: skip
def test_row_does_not_move_to_another_contact(csr_api, contact, other, route, factory):
    row = factory(contact=contact)
    url = f"{API}/{route}/{row.pk}"
    assert refused_fields(csr_api.patch(url, {"contact": other.pk})) == ["contact"]
    assert csr_api.patch(url, {"contact": contact.pk}).status_code == 200


def test_appointment_does_not_move_to_another_call(csr_api, contact):
    first, second = factories.CallFactory.create_batch(2, contact=contact)
    appointment = factories.AppointmentFactory(contact=contact, call=first)
    assert refused_fields(csr_api.patch(f"{API}/appointments/{appointment.pk}", {"call": second.pk})) == ["call"]


def make_call(contact, **values):
    """Return a call from a provider, with its activities and conversation."""
    line = factories.PhoneLineFactory(company=contact.company)
    conversation = factories.ConversationFactory(contact=contact, phone_line=line)
    of_call = {"contact": contact, "conversation": conversation, "direction": "incoming"}
    activity = factories.ActivityFactory(**of_call, activity_type="call", openphone_id="ACmoved")
    factories.ActivityFactory(**of_call, activity_type="voicemail", openphone_id="ACmoved:voicemail")
    return factories.CallFactory(contact=contact, activity=activity, phone_line=line, **values)


def test_call_moves_to_another_contact_with_its_activities(csr_api, acme, contact, other):
    call = make_call(contact)
    bystander = factories.ActivityFactory(contact=contact)
    assert csr_api.patch(f"{API}/calls/{call.pk}", {"contact": other.pk}).status_code == 200
    with tenant(acme.pk):
        moved = Activity.objects.filter(contact=other)
        assert sorted(moved.values_list("openphone_id", flat=True)) == ["ACmoved", "ACmoved:voicemail"]
        assert {row.conversation.contact for row in moved} == {other}
        assert {row.conversation.phone_line for row in moved} == {call.phone_line}
        assert list(Activity.objects.filter(contact=contact)) == [bystander]
    timeline = csr_api.get(f"{API}/contacts/{other.pk}/timeline").json()["results"]
    assert {entry["kind"] for entry in timeline} == {"call", "voicemail"}


def test_call_with_appointments_stays_with_its_contact(csr_api, contact, other):
    call = make_call(contact)
    factories.AppointmentFactory(contact=contact, call=call)
    assert refused_fields(csr_api.patch(f"{API}/calls/{call.pk}", {"contact": other.pk})) == ["contact"]
    with all_tenants():
        assert not Activity.objects.filter(contact=other).exists()


# --- Facts ------------------------------------------------------------------------------------------------------------

FACTS = {
    "created_at": "2020-01-01T00:00:00Z",
    "answered_at": "2020-01-01T00:00:00Z",
    "completed_at": "2020-01-01T00:00:00Z",
    "duration_s": 600,
    "from_number": "+12125550100",
    "to_number": "+12125550101",
    "direction": "outgoing",
    "phone_line": None,
}


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("who", ["manager", "csr", "rep"])
def test_facts_of_a_call_cannot_be_rewritten(acme, contact, rep, who, fact):
    call = make_call(contact, assigned_rep=rep)
    user = rep if who == "rep" else factories.UserFactory(company=acme, role=who)
    with all_tenants():
        before = Call.objects.values().get(pk=call.pk)
    assert refused_fields(signed_in(user).patch(f"{API}/calls/{call.pk}", {fact: FACTS[fact]})) == [fact]
    with all_tenants():
        assert Call.objects.values().get(pk=call.pk) == before


def test_facts_of_a_call_that_a_person_logs_are_kept(csr_api, contact):
    facts = {name: value for name, value in FACTS.items() if value is not None}
    answer = csr_api.post(f"{API}/calls", {"contact": contact.pk, "status": "unbooked", **facts})
    assert answer.status_code == 201, answer.content
    assert answer.json().items() >= facts.items()


@pytest.mark.parametrize("talk", [{"answered_at": "2026-03-02T16:00:05Z"}, {"duration_s": 1}])
def test_answered_call_cannot_be_missed(csr_api, contact, talk):
    body = {"contact": contact.pk, "status": "unbooked", **talk}
    call = csr_api.post(f"{API}/calls", body).json()
    answer = csr_api.patch(f"{API}/calls/{call['id']}", {"status": "missed"})
    assert errors_of(answer) == {"status": ["A call that was answered can't be missed."]}
    assert refused_fields(csr_api.post(f"{API}/calls", body | {"status": "missed"})) == ["status"]


@pytest.mark.parametrize("status", ["sent", "delivered", "replied", "opted_out", "skipped", "failed"])
def test_evidence_of_a_membership_is_kept(manager_api, contact, status):
    sent = {"sent_at": "2026-03-02T16:00:00Z"} if status in ("sent", "delivered", "replied") else {}
    member = factories.CampaignMembershipFactory(contact=contact, status=status, **sent)
    url = f"{API}/campaign-memberships/{member.pk}"
    assert manager_api.patch(url, {"status": "pending", "sent_at": None}).status_code == 405
    assert manager_api.delete(url).status_code == 409
    assert manager_api.delete(f"{API}/campaigns/{member.campaign.pk}").status_code == 409
    assert manager_api.delete(f"{API}/contacts/{contact.pk}").status_code == 409
    with all_tenants():
        kept = CampaignMembership.objects.get()
    assert (kept.status, kept.sent_at is None) == (status, not sent)


def test_pending_memberships_are_deleted_alone_and_with_campaign_or_contact(manager_api, acme):
    first, second, third = factories.CampaignMembershipFactory.create_batch(3, contact__company=acme)
    urls = (f"campaign-memberships/{first.pk}", f"campaigns/{second.campaign.pk}", f"contacts/{third.contact.pk}")
    assert [manager_api.delete(f"{API}/{url}").status_code for url in urls] == [204, 204, 204]
    with all_tenants():
        assert not CampaignMembership.objects.exists()
        assert not Campaign.objects.filter(pk=second.campaign.pk).exists()
        assert not Contact.objects.filter(pk=third.contact.pk).exists()


def test_new_membership_is_pending(manager_api, acme, contact):
    body = {"campaign": factories.CampaignFactory(company=acme).pk, "contact": contact.pk}
    manager_api.post(f"{API}/campaign-memberships", body | {"status": "sent", "sent_at": "2026-03-02T16:00:00Z"})
    manager_api.post(f"{API}/campaign-memberships", body)
    with all_tenants():
        member = CampaignMembership.objects.get()
    assert (member.status, member.sent_at) == ("pending", None)


# --- Digits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["1_000", "1e3", "١٢٣", "１２３", "12.", "+5", " 5", "NaN", "1,000.00"])
def test_amount_is_written_in_plain_digits(csr_api, contact, amount):
    invoice = {"contact": contact.pk, "number": "1", "amount": amount, "due_date": "2026-05-04"}
    assert refused_fields(csr_api.post(f"{API}/invoices", invoice)) == ["amount"]
    call = factories.CallFactory(contact=contact)
    assert refused_fields(csr_api.patch(f"{API}/calls/{call.pk}", {"quoted_price": amount})) == ["quoted_price"]


def test_amount_is_written_in_plain_digits_in_the_admin_too(client, staff, acme, contact):
    client.force_login(staff)
    form = {"company": acme.pk, "contact": contact.pk, "number": "1", "status": "draft", "due_date": "2026-05-04"}
    for amount in ("1_000", "١٢٣"):
        page = client.post(reverse("admin:crm_invoice_add"), form | {"amount": amount})
        assert list(page.context["adminform"].form.errors) == ["amount"]
    assert client.post(reverse("admin:crm_invoice_add"), form | {"amount": "12.5"}).status_code == 302


def test_day_in_a_body_is_written_in_plain_digits(csr_api, contact):
    invoice = {"contact": contact.pk, "number": "1", "amount": "1.00", "due_date": "٢٠٢٦-٠٥-٠٤"}
    assert refused_fields(csr_api.post(f"{API}/invoices", invoice)) == ["due_date"]


@pytest.mark.parametrize(
    ("route", "parameter", "value"),
    [
        ("calls", "contact", "١"),
        ("calls", "contact", "1_0"),
        ("calls", "assigned_rep", "１"),
        ("calls", "limit", "١٠"),
        ("calls", "offset", "1_0"),
        ("calls", "start_date", "٢٠٢٦-٠٥-٠٤"),
        ("appointments", "date", "२०२६-०५-०४"),
        ("dashboard/metrics", "end_date", "٢٠٢٦-٠٥-٠٤"),
        ("dashboard/top-objections", "limit", "1_0"),
        ("dashboard/top-objections", "limit", "٥"),
    ],
)
def test_parameters_are_written_in_plain_digits(csr_api, route, parameter, value):
    assert refused_fields(csr_api.get(f"{API}/{route}", {parameter: value})) == [parameter]


def test_path_in_other_digits_is_not_found(csr_api, contact):
    digits = str(contact.pk).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert csr_api.get(f"{API}/contacts/{digits}").status_code == 404


# --- Phone lines ------------------------------------------------------------------------------------------------------


def test_number_of_another_companys_line_is_refused(manager_api, globex):
    theirs = factories.PhoneLineFactory(company=globex)
    with transaction.atomic():  # the refused statement must not end the test's own transaction
        answer = manager_api.post(f"{API}/phone-lines", {"number": theirs.number})
    assert answer.status_code == 400
    assert errors_of(answer) == {"number": ["This number is a phone line already."]}
    with all_tenants():
        assert PhoneLine.objects.get() == theirs


def test_number_of_another_companys_line_cannot_be_taken_by_a_change(manager_api, acme, globex):
    theirs, ours = factories.PhoneLineFactory(company=globex), factories.PhoneLineFactory(company=acme)
    answer = manager_api.patch(f"{API}/phone-lines/{ours.pk}", {"number": theirs.number})
    assert errors_of(answer) == {"number": ["This number is a phone line already."]}


def test_event_for_another_companys_number_gets_a_line_without_a_number(in_acme, globex):
    theirs = factories.PhoneLineFactory(company=globex)

    def find_line(provider, line_id):
        return resolve_conversation(
            known=KnownRows(),
            provider=provider,
            line_id=line_id,
            company_numbers=[theirs.number],
            outside_numbers=["+12125550100"],
            direction="incoming",
            at=now(),
        ).line

    for _ in range(2):
        line = find_line("openphone", "PNours")
        assert (line.company, line.number, line.provider_id) == (in_acme, "", "PNours")
    with pytest.raises(LineTaken, match="Ask support"):
        find_line("callrail", "")


# --- Managers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"role": "csr"}, {"is_active": False}])
def test_last_manager_stays(manager_api, manager, acme, globex, change):
    factories.UserFactory(company=acme, role="manager", is_active=False)
    factories.UserFactory(company=globex, role="manager")
    answer = manager_api.patch(f"{API}/users/{manager.pk}", change)
    assert answer.status_code == 409
    assert code_of(answer) == "last_manager"
    second = factories.UserFactory(company=acme, role="manager")
    assert manager_api.patch(f"{API}/users/{second.pk}", change).status_code == 200
    assert manager_api.patch(f"{API}/users/{manager.pk}", change).status_code == 409
    assert manager_api.patch(f"{API}/users/{manager.pk}", {"first_name": "Mia"}).status_code == 200


def test_last_manager_stays_in_the_admin_too(client, staff, manager):
    client.force_login(staff)
    url = reverse("admin:crm_user_change", args=[manager.pk])
    page = client.post(url, {"username": manager.username, "role": "csr", "is_active": "on"})
    assert list(page.context["adminform"].form.errors) == ["role"]
    page = client.post(url, {"username": manager.username, "role": "manager"})
    assert list(page.context["adminform"].form.errors) == ["is_active"]
    assert client.post(url, {"username": "mia", "role": "manager", "is_active": "on"}).status_code == 302


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_two_managers_who_deactivate_each_other_one_stays():
    company = factories.CompanyFactory()
    managers = factories.UserFactory.create_batch(2, company=company, role="manager")
    start = threading.Barrier(2)

    def deactivate_other(number):
        start.wait()
        try:
            return signed_in(managers[number]).patch(f"{API}/users/{managers[1 - number].pk}", {"is_active": False})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(deactivate_other, range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert User.accounts.filter(role="manager", is_active=True).count() == 1

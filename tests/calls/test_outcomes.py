"""The lead, `booked` and the reason of a lost sale, for every pair of statuses. The values here are the contract."""

from itertools import product
from pathlib import Path

import pytest
from django.urls import reverse

from calls.choices import AppointmentStatus, CallStatus
from calls.models import Appointment, Call
from calls.services.call_ingest import record_call
from crm.db.tenancy import all_tenants
from crm.models import Lead
from tests.calls.status_table import page
from tests.errors import errors_of
from tests.factories import (
    ActivityFactory,
    AppointmentFactory,
    CallFactory,
    ContactFactory,
    LeadFactory,
    PhoneLineFactory,
)

CALLS, APPOINTMENTS, LEADS = (f"/api/v1/{route}" for route in ("calls", "appointments", "leads"))
BOOKED = {"awaiting_quote", "still_deciding", "purchased", "lost", "cancelled"}
# The status of a lead that was booked, won or lost before.
LEAD_AFTER = {
    "in_progress": "qualified",
    "missed": "qualified",
    "unbooked": "qualified",
    "awaiting_quote": "booked",
    "still_deciding": "booked",
    "purchased": "won",
    "lost": "lost",
    "cancelled": "qualified",
}
AFTER_BOOKING = dict.fromkeys(LEAD_AFTER, "awaiting_quote") | {
    "still_deciding": "still_deciding",
    "purchased": "purchased",
}
AFTER_CANCELLATION = {status: status for status in LEAD_AFTER} | {
    "awaiting_quote": "cancelled",
    "still_deciding": "cancelled",
}
PAIRS = list(product(CallStatus.values, repeat=2))
APPOINTMENT_PAIRS = list(product(AppointmentStatus.values, repeat=2))


def call_with_lead(company, status):
    contact = ContactFactory(company=company)
    lead = LeadFactory(contact=contact, status=LEAD_AFTER[status])
    reason = "Price" if status == "lost" else ""
    return CallFactory(contact=contact, status=status, lead=lead, reason_for_lost_sale=reason, quoted_price="900")


def facts_of(call):
    with all_tenants():
        call = Call.objects.select_related("lead").get(pk=call.pk)
    return call.status, call.booked, call.lead and call.lead.status, call.reason_for_lost_sale


def expected(status, reason="", before=None):
    lead = LEAD_AFTER[status if before != status else before]
    return status, status in BOOKED, lead, reason


def test_page_of_statuses_matches_the_tables():
    document = Path(__file__).parents[2] / "docs" / "statuses.md"
    assert document.read_text() == page(), "run: python -m tests.calls.status_table > docs/statuses.md"


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_status_set_over_the_api_decides_lead_booked_and_reason(csr_api, acme, old, new):
    call = call_with_lead(acme, old)
    answer = csr_api.patch(f"{CALLS}/{call.pk}", {"status": new})
    assert answer.status_code == 200, answer.content
    assert facts_of(call) == expected(new, "Price" if old == new == "lost" else "")
    assert answer.json()["quoted_price"] == "900.00"


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_status_set_in_the_admin_decides_the_same(client, staff, acme, old, new):
    client.force_login(staff)
    call = call_with_lead(acme, old)
    form = {
        "status": new,
        "lead": call.lead.pk,
        "quoted_price": "900.00",
        "reason_for_lost_sale": call.reason_for_lost_sale,
        "appointments-TOTAL_FORMS": 0,
        "appointments-INITIAL_FORMS": 0,
    }
    assert client.post(reverse("admin:calls_call_change", args=[call.pk]), form).status_code == 302
    assert facts_of(call) == expected(new, "Price" if old == new == "lost" else "")


@pytest.mark.parametrize("status", CallStatus.values)
def test_new_lead_is_only_changed_by_an_outcome(csr_api, acme, status):
    call = CallFactory(contact=ContactFactory(company=acme), status="unbooked" if status != "unbooked" else "missed")
    call.lead = LeadFactory(contact=call.contact, status="new")
    call.save()
    csr_api.patch(f"{CALLS}/{call.pk}", {"status": status})
    after = LEAD_AFTER[status]
    assert facts_of(call)[2] == ("new" if after == "qualified" else after)


@pytest.mark.parametrize("status", CallStatus.values)
def test_booked_call_gets_a_lead(csr_api, acme, status):
    patched = CallFactory(contact=ContactFactory(company=acme), status="unbooked")
    csr_api.patch(f"{CALLS}/{patched.pk}", {"status": status})
    posted = csr_api.post(CALLS, {"contact": ContactFactory(company=acme).pk, "status": status})
    assert posted.status_code == 201, posted.content
    lead = LEAD_AFTER[status] if status in BOOKED else None
    for call in (patched, Call(pk=posted.json()["id"])):
        assert facts_of(call) == (status, status in BOOKED, lead, "")


def test_booked_call_of_an_unknown_caller_has_no_lead(csr_api, acme):
    answer = csr_api.post(CALLS, {"from_number": "Anonymous", "status": "purchased"})
    assert (answer.status_code, answer.json()["lead"]) == (201, None)


@pytest.mark.parametrize("status", sorted(set(CallStatus.values) - {"lost"}))
@pytest.mark.parametrize("before", ["lost", "unbooked"])
def test_reason_with_another_status_is_rejected(csr_api, acme, before, status):
    call = call_with_lead(acme, before)
    answer = csr_api.patch(f"{CALLS}/{call.pk}", {"status": status, "reason_for_lost_sale": "Too late"})
    assert (answer.status_code, list(errors_of(answer))) == (400, ["reason_for_lost_sale"])
    assert facts_of(call)[0] == before


def test_reason_of_a_call_that_is_not_lost_is_rejected(csr_api, acme):
    call = call_with_lead(acme, "purchased")
    answer = csr_api.patch(f"{CALLS}/{call.pk}", {"reason_for_lost_sale": "Price"})
    assert errors_of(answer) == {
        "reason_for_lost_sale": ["Only a lost call has a reason; set the status to lost, or leave this empty."]
    }


@pytest.mark.parametrize("status", CallStatus.values)
def test_booking_decides_status_and_lead(csr_api, acme, status):
    call = call_with_lead(acme, status)
    body = {"contact": call.contact.pk, "call": call.pk} | TIMES
    answer = csr_api.post(APPOINTMENTS, body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["lead"] == call.lead.pk
    assert facts_of(call) == expected(AFTER_BOOKING[status])


TIMES = {"scheduled_start": "2026-03-03T16:00:00Z", "scheduled_end": "2026-03-03T17:00:00Z"}


@pytest.mark.parametrize("status", CallStatus.values)
def test_cancelling_the_only_appointment_decides_status_and_lead(csr_api, acme, status):
    call = call_with_lead(acme, status)
    appointment = AppointmentFactory(contact=call.contact, call=call, lead=call.lead)
    assert csr_api.patch(f"{APPOINTMENTS}/{appointment.pk}", {"status": "cancelled"}).status_code == 200
    assert facts_of(call) == expected(AFTER_CANCELLATION[status], "Price" if status == "lost" else "")


@pytest.mark.parametrize(("old", "new"), APPOINTMENT_PAIRS)
def test_status_of_an_only_appointment_moves_its_call(csr_api, acme, old, new):
    before = "cancelled" if old == "cancelled" else "awaiting_quote"
    call = call_with_lead(acme, before)
    appointment = AppointmentFactory(contact=call.contact, call=call, lead=call.lead, status=old)
    assert csr_api.patch(f"{APPOINTMENTS}/{appointment.pk}", {"status": new}).status_code == 200
    assert facts_of(call) == expected("cancelled" if new == "cancelled" else "awaiting_quote")


@pytest.mark.parametrize("other", AppointmentStatus.values)
def test_call_is_cancelled_with_its_last_appointment_only(csr_api, acme, other):
    call = call_with_lead(acme, "awaiting_quote")
    AppointmentFactory(contact=call.contact, call=call, status=other)
    appointment = AppointmentFactory(contact=call.contact, call=call)
    csr_api.patch(f"{APPOINTMENTS}/{appointment.pk}", {"status": "cancelled"})
    assert facts_of(call)[0] == ("cancelled" if other == "cancelled" else "awaiting_quote")


def test_appointment_cancelled_in_the_admin_moves_its_call(client, staff, acme):
    client.force_login(staff)
    call = call_with_lead(acme, "awaiting_quote")
    appointment = AppointmentFactory(contact=call.contact, call=call)
    form = {
        "contact": call.contact.pk,
        "call": call.pk,
        "status": "cancelled",
        "scheduled_start_0": "2026-03-02",
        "scheduled_start_1": "16:00",
        "scheduled_end_0": "2026-03-02",
        "scheduled_end_1": "17:00",
        "timezone": appointment.timezone,
    }
    url = reverse("admin:calls_appointment_change", args=[appointment.pk])
    assert client.post(url, form).status_code == 302
    assert facts_of(call) == expected("cancelled")


def test_appointment_that_is_recorded_as_cancelled_books_nothing(csr_api, acme):
    call = CallFactory(contact=ContactFactory(company=acme), status="unbooked")
    body = {"contact": call.contact.pk, "call": call.pk, "status": "cancelled"} | TIMES
    answer = csr_api.post(APPOINTMENTS, body)
    assert (answer.status_code, answer.json()["lead"]) == (201, None)
    assert facts_of(call) == ("unbooked", False, None, "")


def test_call_without_a_change_of_status_keeps_its_lead(csr_api, acme):
    call = call_with_lead(acme, "purchased")
    with all_tenants():
        Lead.objects.update(status="contacted")
    csr_api.patch(f"{CALLS}/{call.pk}", {"status": "purchased", "quoted_price": "950"})
    assert facts_of(call)[2] == "contacted"


# --- The lead of a booked call ----------------------------------------------------------------------------------------


NO_APPOINTMENTS = {"appointments-TOTAL_FORMS": 0, "appointments-INITIAL_FORMS": 0}
OTHERS = sorted(set(CallStatus.values) - BOOKED)


@pytest.mark.parametrize("status", sorted(BOOKED))
def test_booked_call_keeps_its_lead(csr_api, manager_api, acme, status):
    call = call_with_lead(acme, status)
    before = facts_of(call)
    answer = csr_api.patch(f"{CALLS}/{call.pk}", {"lead": None})
    assert (answer.status_code, list(errors_of(answer))) == (400, ["lead"])
    answer = manager_api.delete(f"{LEADS}/{call.lead.pk}")
    assert answer.status_code == 409, answer.content
    assert facts_of(call) == before
    answer = csr_api.patch(f"{CALLS}/{call.pk}", {"status": "unbooked", "lead": None})
    assert answer.status_code == 200, answer.content
    assert facts_of(call) == ("unbooked", False, None, "")


@pytest.mark.parametrize("status", OTHERS)
def test_call_that_is_not_booked_may_lose_its_lead(csr_api, manager_api, acme, status):
    call, other = call_with_lead(acme, status), call_with_lead(acme, status)
    assert csr_api.patch(f"{CALLS}/{call.pk}", {"lead": None}).status_code == 200
    assert manager_api.delete(f"{LEADS}/{other.lead.pk}").status_code == 204
    assert [facts_of(call)[2], facts_of(other)[2]] == [None, None]


def test_booked_call_keeps_its_lead_in_the_admin(client, staff, acme):
    client.force_login(staff)
    call = call_with_lead(acme, "purchased")
    form = {"status": "purchased", "lead": "", "quoted_price": "900.00"} | NO_APPOINTMENTS
    answer = client.post(reverse("admin:calls_call_change", args=[call.pk]), form)
    assert answer.context["adminform"].form.errors == {
        "lead": ["A booked call keeps a lead; choose another one, or change the status first."]
    }
    url = reverse("admin:crm_lead_delete", args=[call.lead.pk])
    assert client.post(url, {"post": "yes"}).status_code == 200
    assert facts_of(call)[2] == "won"


@pytest.mark.parametrize("status", CallStatus.values)
def test_contact_that_a_call_gets_later_brings_the_lead(csr_api, acme, status):
    call = CallFactory(company=acme, contact=None, status=status)
    contact = ContactFactory(company=acme)
    assert csr_api.patch(f"{CALLS}/{call.pk}", {"contact": contact.pk}).status_code == 200
    lead = LEAD_AFTER[status] if status in BOOKED else None
    assert facts_of(call) == (status, status in BOOKED, lead, "")
    with all_tenants():
        assert [lead.contact_id for lead in Lead.objects.all()] == [contact.pk] * (status in BOOKED)


@pytest.mark.parametrize("status", CallStatus.values)
def test_contact_that_a_webhook_event_tells_brings_the_lead_of_a_booked_call(in_acme, status):
    line = PhoneLineFactory(company=in_acme, number="+12125550177")
    activity = ActivityFactory(
        company=in_acme, contact=None, activity_type="call", direction="incoming", openphone_id="AC1"
    )
    call = CallFactory(company=in_acme, contact=None, activity=activity, phone_line=line, status=status)
    record_call(
        provider="openphone", openphone_id="AC1", line_id=line.provider_id, company_numbers=[line.number],
        outside_numbers=["+12125550178"], direction="incoming", answered=False, ended=False, created_at=call.created_at,
    )  # fmt: skip
    call.refresh_from_db()
    assert call.contact.phone == "+12125550178"
    assert facts_of(call)[2] == (LEAD_AFTER[status] if status in BOOKED else None)


def test_appointments_of_a_call_have_its_lead(csr_api, acme):
    call = call_with_lead(acme, "awaiting_quote")
    appointments = [AppointmentFactory(contact=call.contact, call=call, lead=call.lead) for _ in range(2)]
    elsewhere = AppointmentFactory(contact=call.contact, lead=call.lead)
    other = LeadFactory(contact=call.contact)
    assert csr_api.patch(f"{CALLS}/{call.pk}", {"lead": other.pk}).status_code == 200
    assert {lead_of(appointment) for appointment in appointments} == {other.pk}
    assert lead_of(elsewhere) == call.lead.pk
    with all_tenants():
        Call.objects.filter(pk=call.pk).update(lead=call.lead)  # as other programs write
    assert {lead_of(appointment) for appointment in appointments} == {call.lead.pk}


@pytest.mark.parametrize("status", CallStatus.values)
def test_other_lead_of_a_call_follows_its_status_and_the_former_one_is_taken_back(csr_api, acme, status):
    call = call_with_lead(acme, status)
    other = LeadFactory(contact=call.contact, status="contacted")
    csr_api.patch(f"{CALLS}/{call.pk}", {"lead": other.pk})
    assert facts_of(call)[2] == ("contacted" if LEAD_AFTER[status] == "qualified" else LEAD_AFTER[status])
    call.lead.refresh_from_db()
    assert call.lead.status == "qualified"


def test_former_lead_stays_booked_while_another_booked_call_has_it(csr_api, acme):
    call = call_with_lead(acme, "purchased")
    CallFactory(contact=call.contact, status="purchased", lead=call.lead)
    csr_api.patch(f"{CALLS}/{call.pk}", {"lead": LeadFactory(contact=call.contact).pk})
    call.lead.refresh_from_db()
    assert call.lead.status == "won"


@pytest.mark.parametrize("status", OTHERS)
def test_won_lead_of_a_call_that_is_not_booked_stays_won(csr_api, acme, status):
    call = CallFactory(contact=ContactFactory(company=acme), status=status)
    lead = LeadFactory(contact=call.contact, status="won")
    csr_api.patch(f"{CALLS}/{call.pk}", {"lead": lead.pk})
    assert facts_of(call)[2] == "won"


@pytest.mark.parametrize("status", CallStatus.values)
def test_lead_of_another_contact_is_rejected(csr_api, acme, status):
    call = call_with_lead(acme, status)
    before = facts_of(call)
    lead = LeadFactory(contact__company=acme)
    answer = csr_api.patch(f"{CALLS}/{call.pk}", {"lead": lead.pk})
    assert (answer.status_code, list(errors_of(answer))) == (400, ["lead"])
    answer = csr_api.post(CALLS, {"contact": call.contact.pk, "lead": lead.pk, "status": status})
    assert (answer.status_code, list(errors_of(answer))) == (400, ["lead"])
    assert facts_of(call) == before


def test_lead_keeps_its_contact_in_the_admin(client, staff, acme):
    client.force_login(staff)
    call = call_with_lead(acme, "purchased")
    form = {"contact": ContactFactory(company=acme).pk, "status": "won", "notes": "Metal roof."}
    assert client.post(reverse("admin:crm_lead_change", args=[call.lead.pk]), form).status_code == 302
    call.lead.refresh_from_db()
    assert (call.lead.contact_id, call.lead.notes) == (call.contact.pk, "Metal roof.")


def test_appointment_added_in_the_admin_books_its_call(client, staff, acme):
    client.force_login(staff)
    call = CallFactory(contact=ContactFactory(company=acme), status="unbooked")
    form = {"company": acme.pk} | appointment_form(call)
    assert client.post(reverse("admin:calls_appointment_add"), form).status_code == 302
    assert facts_of(call) == ("awaiting_quote", True, "booked", "")
    with all_tenants():
        assert Appointment.objects.get().lead == Lead.objects.get()


def test_appointment_that_gets_another_call_in_the_admin_books_that_one(client, staff, acme):
    client.force_login(staff)
    call = call_with_lead(acme, "awaiting_quote")
    other = CallFactory(contact=call.contact, status="unbooked")
    appointment = AppointmentFactory(contact=call.contact, call=call, lead=call.lead)
    url = reverse("admin:calls_appointment_change", args=[appointment.pk])
    assert client.post(url, appointment_form(call) | {"call": other.pk}).status_code == 302
    assert facts_of(other) == ("awaiting_quote", True, "booked", "")
    assert facts_of(call) == ("awaiting_quote", True, "booked", "")
    other.refresh_from_db()
    assert lead_of(appointment) == other.lead_id


def lead_of(appointment):
    with all_tenants():
        return Appointment.objects.get(pk=appointment.pk).lead_id


def appointment_form(call):
    return {
        "contact": call.contact.pk,
        "call": call.pk,
        "status": "scheduled",
        "scheduled_start_0": "2026-03-02",
        "scheduled_start_1": "16:00",
        "scheduled_end_0": "2026-03-02",
        "scheduled_end_1": "17:00",
    }

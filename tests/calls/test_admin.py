"""Admin for calls and appointments."""

from datetime import UTC, date, datetime, time

import pytest
from django.urls import reverse

from calls.models import Appointment, Call
from tests import factories


@pytest.fixture(autouse=True)
def staff_client(client, staff):
    client.force_login(staff)
    return client


def call_form(**changes):
    return {"status": "unbooked", "appointments-TOTAL_FORMS": 0, "appointments-INITIAL_FORMS": 0} | changes


def test_status_change_sets_booked(client, in_acme):
    call = factories.CallFactory(contact__company=in_acme, status="unbooked")
    url = reverse("admin:calls_call_change", args=[call.pk])
    client.post(url, call_form(status="purchased", quoted_price="1200"))
    call.refresh_from_db()
    assert (call.status, call.booked) == ("purchased", True)
    client.post(url, call_form(status="unbooked"))
    call.refresh_from_db()
    assert (call.status, call.booked) == ("unbooked", False)


def test_outgoing_call_cannot_be_missed(client, in_acme):
    call = factories.CallFactory(contact__company=in_acme, direction="outgoing")
    response = client.post(reverse("admin:calls_call_change", args=[call.pk]), call_form(status="missed"))
    assert response.context["adminform"].form.errors == {"status": ["An outgoing call can't be missed."]}


def test_provider_fields_of_a_call_are_read_only(client, in_acme):
    call = factories.CallFactory(contact__company=in_acme, from_number="+12125550100")
    client.post(
        reverse("admin:calls_call_change", args=[call.pk]), call_form(status="lost", from_number="+12125550199")
    )
    call.refresh_from_db()
    assert (call.status, call.from_number) == ("lost", "+12125550100")


def test_rep_of_another_company_cannot_be_assigned(client, in_acme, outsider):
    call = factories.CallFactory(contact__company=in_acme)
    response = client.post(reverse("admin:calls_call_change", args=[call.pk]), call_form(assigned_rep=outsider.pk))
    assert "assigned_rep" in response.context["adminform"].form.errors
    assert Call.objects.get().assigned_rep is None


def test_call_page_shows_its_appointments(client, in_acme):
    call = factories.CallFactory(contact__company=in_acme, status="awaiting_quote")
    appointment = factories.AppointmentFactory(contact=call.contact, call=call)
    html = client.get(reverse("admin:calls_call_change", args=[call.pk])).content.decode()
    assert reverse("admin:calls_appointment_change", args=[appointment.pk]) in html


def test_calls_are_found_by_the_contacts_number(client):
    call, _other = factories.CallFactory(contact__phone="+12125550100"), factories.CallFactory()
    response = client.get(reverse("admin:calls_call_changelist"), {"q": "(212) 555-0100"})
    assert list(response.context["cl"].result_list) == [call]


def appointment_form(company, contact, **changes):
    return {
        "company": company.pk,
        "contact": contact.pk,
        "status": "scheduled",
        "scheduled_start_0": "2026-03-03",
        "scheduled_start_1": "03:30",
        "scheduled_end_0": "2026-03-03",
        "scheduled_end_1": "04:30",
        "timezone": "",
    } | changes


def test_appointment_defaults_to_the_companys_time_zone(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    client.post(reverse("admin:calls_appointment_add"), appointment_form(in_acme, contact))
    appointment = Appointment.objects.get()
    assert appointment.timezone == "America/Denver"
    assert (appointment.date, appointment.time) == (date(2026, 3, 2), time(20, 30))


def test_appointment_that_ends_before_it_starts_is_rejected(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    response = client.post(
        reverse("admin:calls_appointment_add"), appointment_form(in_acme, contact, scheduled_end_1="03:00")
    )
    assert response.context["adminform"].form.errors == {"scheduled_end": ["An appointment must end after it starts."]}


def test_start_filter_separates_future_from_past_appointments(client, in_acme):
    past = factories.AppointmentFactory(contact__company=in_acme, scheduled_start=datetime(2020, 1, 1, tzinfo=UTC))
    url = reverse("admin:calls_appointment_changelist")
    assert list(client.get(url).context["cl"].result_list) == [past]
    assert list(client.get(url, {"start": "week"}).context["cl"].result_list) == []


def test_new_company_time_zone_applies_to_future_appointments_only(client, acme, globex):
    # 04:00 UTC is the evening before in Denver, and the same day in London.
    past = factories.AppointmentFactory(contact__company=acme, scheduled_start=datetime(2020, 1, 2, 4, tzinfo=UTC))
    ahead = factories.AppointmentFactory(contact__company=acme, scheduled_start=datetime(2100, 1, 2, 4, tzinfo=UTC))
    foreign = factories.AppointmentFactory(contact__company=globex, scheduled_start=ahead.scheduled_start)
    client.post(
        reverse("admin:crm_company_change", args=[acme.pk]),
        {"name": acme.name, "timezone": "Europe/London", "currency": "USD"},
    )
    for appointment in (past, ahead, foreign):
        appointment.refresh_from_db()
    assert (past.timezone, past.date) == ("America/Denver", date(2020, 1, 1))
    assert (ahead.timezone, ahead.date) == ("Europe/London", date(2100, 1, 2))
    assert foreign.timezone == "America/New_York"

"""Admin for calls and appointments."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from calls.models import Appointment, Call
from tests import factories

pytestmark = pytest.mark.usefixtures("staff_client")


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
        "scheduled_start_1": "09:00",
        "scheduled_end_0": "2026-03-03",
        "scheduled_end_1": "10:30",
        "timezone": "",
    } | changes


def test_appointment_defaults_to_the_companys_time_zone(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    client.post(reverse("admin:calls_appointment_add"), appointment_form(in_acme, contact))
    appointment = Appointment.objects.get()
    assert appointment.timezone == "America/Denver"
    assert (appointment.date, appointment.time) == (date(2026, 3, 3), time(9))
    assert appointment.scheduled_start == datetime(2026, 3, 3, 16, tzinfo=UTC)


def test_appointment_that_ends_before_it_starts_is_rejected(client, in_acme):
    contact = factories.ContactFactory(company=in_acme)
    response = client.post(
        reverse("admin:calls_appointment_add"), appointment_form(in_acme, contact, scheduled_end_1="08:00")
    )
    assert response.context["adminform"].form.errors == {"scheduled_end": ["An appointment must end after it starts."]}


def test_new_company_time_zone_applies_to_future_appointments_only(client, acme, globex):
    # 04:00 UTC is the evening before in Denver, and the same day in London.
    past = factories.AppointmentFactory(contact__company=acme, scheduled_start=datetime(2020, 1, 2, 4, tzinfo=UTC))
    ahead = factories.AppointmentFactory(contact__company=acme, scheduled_start=datetime(2100, 1, 2, 4, tzinfo=UTC))
    foreign = factories.AppointmentFactory(contact__company=globex, scheduled_start=ahead.scheduled_start)
    client.post(
        reverse("admin:crm_company_change", args=[acme.pk]),
        {
            "name": acme.name,
            "timezone": "Europe/London",
            "currency": "USD",
            "segment_price_micros": 11000,
            "quiet_hours_start": 21,
            "quiet_hours_end": 8,
        },
    )
    for appointment in (past, ahead, foreign):
        appointment.refresh_from_db()
    assert (past.timezone, past.date) == ("America/Denver", date(2020, 1, 1))
    assert (ahead.timezone, ahead.date) == ("Europe/London", date(2100, 1, 2))
    assert foreign.timezone == "America/New_York"


def appointment_page(appointment):
    return reverse("admin:calls_appointment_change", args=[appointment.pk])


def test_appointment_is_shown_and_saved_in_its_own_time_zone(client, acme):
    start = datetime(2026, 7, 1, 15, tzinfo=UTC)
    appointment = factories.AppointmentFactory(
        contact__company=acme,
        scheduled_start=start,
        scheduled_end=start + timedelta(hours=1),
        timezone="America/Denver",
    )
    html = client.get(appointment_page(appointment)).content.decode()
    assert 'value="09:00"' in html
    assert "Local time in America/Denver." in html
    form = appointment_form(
        acme, appointment.contact, timezone="America/Denver", scheduled_start_0="2026-07-01",
        scheduled_end_0="2026-07-01", scheduled_end_1="10:00", notes="Changed",
    )  # fmt: skip
    client.post(appointment_page(appointment), form)
    appointment.refresh_from_db()
    assert (appointment.notes, appointment.scheduled_start) == ("Changed", start)
    client.post(appointment_page(appointment), form | {"timezone": "America/New_York"})
    appointment.refresh_from_db()
    assert (appointment.time, appointment.scheduled_start) == (time(9), start - timedelta(hours=2))


def test_reader_sees_an_appointment_in_its_own_time_zone(client, acme):
    reader = factories.UserFactory(company=None, role="", is_staff=True)
    reader.groups.add(Group.objects.get(name="Read-only"))
    client.force_login(reader)
    appointment = factories.AppointmentFactory(
        contact__company=acme, scheduled_start=datetime(2026, 7, 1, 15, tzinfo=UTC), timezone="America/Denver"
    )
    assert "2026-07-01 09:00, America/Denver" in client.get(appointment_page(appointment)).content.decode()


def test_hour_that_comes_twice_keeps_its_instant_if_it_is_not_changed(client, acme):
    second = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)  # 1:30 in Denver, for the second time
    appointment = factories.AppointmentFactory(
        contact__company=acme,
        scheduled_start=second,
        scheduled_end=second + timedelta(hours=2),
        timezone="America/Denver",
    )
    form = appointment_form(
        acme, appointment.contact, timezone="America/Denver", notes="Changed", scheduled_start_0="2026-11-01",
        scheduled_start_1="01:30", scheduled_end_0="2026-11-01", scheduled_end_1="03:30",
    )  # fmt: skip
    client.post(appointment_page(appointment), form)
    appointment.refresh_from_db()
    assert (appointment.notes, appointment.scheduled_start) == ("Changed", second)


def test_time_that_the_clock_skips_is_refused(client, acme):
    contact = factories.ContactFactory(company=acme)
    form = appointment_form(acme, contact, scheduled_start_0="2026-03-08", scheduled_start_1="02:30",
                            scheduled_end_0="2026-03-08")  # fmt: skip
    response = client.post(reverse("admin:calls_appointment_add"), form)
    assert response.context["adminform"].form.errors["scheduled_start"] == [
        "The clock in America/Denver skips this time; enter 03:30 or later."
    ]


@pytest.mark.parametrize("zone", ["America/Denver", "Asia/Tokyo"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("field", ["scheduled_start", "scheduled_end"])
def test_first_and_last_days_of_the_calendar_are_refused(field, day, zone, client, acme):
    contact = factories.ContactFactory(company=acme)
    # One of the zones is ahead of UTC and one behind, so each day has a time that UTC can't represent.
    form = appointment_form(acme, contact, timezone=zone) | {f"{field}_0": day, f"{field}_1": "00:30"}
    form |= {f"{field}_1": "23:30"} if day == "9999-12-31" else {}
    response = client.post(reverse("admin:calls_appointment_add"), form)
    errors = response.context["adminform"].form.errors[field]
    assert "Must be a day from 1970-01-01 to 2100-12-31." in errors


def test_call_is_deleted_with_its_details_and_analyses(client, in_acme):
    call = factories.CallFactory(contact__company=in_acme)
    factories.CallDetailFactory(call=call)
    factories.CallAnalysisFactory(call=call, objections=["price"])
    url = reverse("admin:calls_call_delete", args=[call.pk])
    assert b"Yes, I" in client.get(url).content
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Call.objects.exists()


def test_call_with_an_appointment_shows_the_way_to_delete_it(client, in_acme):
    call = factories.CallFactory(contact__company=in_acme, status="awaiting_quote")
    appointment = factories.AppointmentFactory(
        contact=call.contact, call=call, company=in_acme, timezone="America/Denver"
    )
    url = reverse("admin:calls_call_delete", args=[call.pk])
    html = client.get(url).content.decode()
    assert f'<a href="{appointment_page(appointment)}">' in html
    assert "Open each appointment and clear its call, or delete the appointment." in html
    form = appointment_form(in_acme, call.contact, call="", timezone="America/Denver")
    assert client.post(appointment_page(appointment), form).status_code == 302
    assert client.post(url, {"post": "yes"}).status_code == 302
    assert not Call.objects.exists()
    assert Appointment.objects.exists()


def test_contact_with_a_history_names_the_command_that_erases_it(client, in_acme):
    contact = factories.CallFactory(contact__company=in_acme).contact
    html = client.get(reverse("admin:crm_contact_delete", args=[contact.pk])).content.decode()
    assert "manage.py erase_contact" in html

"""Reminders of appointments: when there is one, its text, and what happens if the appointment changes."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from calls.models import Appointment
from crm.db.tenancy import all_tenants, tenant
from crm.models import Company, PhoneLine
from crm.services.opt_outs import record_opt_out
from messaging.models import AppointmentReminder, Message
from messaging.services.outbound import reminders
from messaging.services.outbound.reminder_texts import text_of
from messaging.services.outbound.reminders import has_pending_reminders, queue_next_reminders
from messaging.services.outbound.sending import send_next_messages
from tests import factories
from tests.conftest import postgres_only
from tests.errors import errors_of
from tests.messaging.clocks import zone_with_hour

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
numbers = itertools.count()


@pytest.fixture(autouse=True)
def fast_lines(settings):
    settings.SMS_PER_SECOND = 10_000


@pytest.fixture
def company(db):
    company = factories.CompanyFactory(name="Acme", appointment_reminders=True, timezone=zone_with_hour(14))
    factories.PhoneLineFactory(company=company)
    return company


def booked(company, *, starts_in, booked_ago=10 * DAY, **fields):
    """Create an appointment of a contact for whom it is two in the afternoon."""
    now = timezone.now()
    return factories.AppointmentFactory(
        contact__company=company,
        contact__phone=f"+121255501{next(numbers) % 100:02d}",  # always a valid number
        contact__timezone=zone_with_hour(14),
        scheduled_start=now + starts_in,
        created_at=now - booked_ago,
        **fields,
    )


def work():
    rounds = 0
    while queue_next_reminders():
        rounds += 1
    return rounds


def states(appointment):
    """Return status and reason of the appointment's reminders by their lead time in hours."""
    with all_tenants():
        rows = AppointmentReminder.objects.filter(appointment=appointment).order_by("-lead_minutes")
        return [(row.lead_minutes // 60, row.status, row.reason) for row in rows]


def messages_to(appointment):
    with all_tenants():
        return list(Message.objects.filter(contact=appointment.contact).order_by("id"))


def text(lead=DAY):
    """Return the reminder's text of the only appointment."""
    with all_tenants():
        return text_of(appointment=Appointment.objects.select_related("company", "contact").get(), lead=lead)


def change(appointment, **values):
    with all_tenants():
        Appointment.objects.filter(pk=appointment.pk).update(**values)


@pytest.mark.parametrize(
    ("starts_in", "leads"),
    [
        (DAY + MINUTE, []),
        (DAY, [24]),
        (13 * HOUR, [24]),
        (11 * HOUR, []),
        (2 * HOUR + MINUTE, []),
        (2 * HOUR, [2]),
        (61 * MINUTE, [2]),
        (59 * MINUTE, []),
        (-HOUR, []),
    ],
    ids=str,
)
def test_reminder_is_queued_when_it_is_due_and_makes_sense(company, starts_in, leads):
    appointment = booked(company, starts_in=starts_in)
    assert has_pending_reminders() is bool(leads)
    work()
    assert states(appointment) == [(lead, "queued", "") for lead in leads]
    assert [message.kind for message in messages_to(appointment)] == ["reminder"] * len(leads)
    assert not has_pending_reminders()


def test_reminder_is_queued_once(company):
    appointment = booked(company, starts_in=23 * HOUR)
    assert (work(), work(), len(messages_to(appointment))) == (1, 0, 1)
    [message] = messages_to(appointment)
    with all_tenants():
        assert AppointmentReminder.objects.get().message_id == message.pk


def test_company_without_the_setting_sends_none(company):
    Company.objects.update(appointment_reminders=False)
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    assert states(appointment) == []


@pytest.mark.parametrize("status", ["cancelled", "completed", "no_show"])
def test_appointment_that_is_not_to_come_gets_none(company, status):
    appointment = booked(company, starts_in=23 * HOUR, status=status)
    work()
    assert states(appointment) == []


def test_who_has_just_booked_gets_none(company):
    appointment = booked(company, starts_in=23 * HOUR, booked_ago=5 * MINUTE)
    work()
    assert states(appointment) == []


def test_text_names_company_and_start_by_the_clock_of_the_appointment(company):
    start = datetime(2026, 3, 3, 16, tzinfo=UTC)
    appointment = booked(company, starts_in=DAY, timezone="America/Denver")
    change(appointment, scheduled_start=start, scheduled_end=start + HOUR)
    assert text() == (
        "Acme: your appointment is on Tue, Mar 3 at 9:00 AM. "
        "Reply C to confirm or R to reschedule. Text STOP to opt out."
    )
    change(appointment, status="confirmed")
    assert "Reply R to reschedule." in text()
    assert "Reply C" not in text()


@pytest.mark.parametrize(("hour", "time"), [(0, "12:30 AM"), (11, "11:30 AM"), (12, "12:30 PM"), (23, "11:30 PM")])
def test_text_tells_morning_from_evening(company, hour, time):
    start = datetime(2026, 3, 3, hour, 30, tzinfo=UTC)
    appointment = booked(company, starts_in=DAY, timezone="UTC")
    change(appointment, scheduled_start=start, scheduled_end=start + HOUR)
    assert f"Mar 3 at {time}." in text()


def test_company_s_own_text_gets_its_name_and_how_to_opt_out_unless_it_says_so(company):
    booked(company, starts_in=DAY, contact__first_name="", timezone="UTC")
    Company.objects.update(
        reminder_text_24h="Hi {first_name|there}, see you tomorrow! {answers}",
        reminder_text_2h="Acme is on the way at {time}. Reply STOP to end.",
    )
    assert text(DAY) == (
        "Acme: Hi there, see you tomorrow! Reply C to confirm or R to reschedule.\nReply STOP to opt out."
    )
    assert text(2 * HOUR).startswith("Acme is on the way at ")
    assert text(2 * HOUR).endswith("M. Reply STOP to end.")


def test_names_in_a_reminder_are_data(company):
    booked(company, starts_in=DAY, contact__first_name="{answers}\nEve")
    Company.objects.update(reminder_text_24h="Acme: {first_name|you}, {day}! Reply STOP to end.")
    assert text(DAY).startswith("Acme: {answers} Eve, ")


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("See you on {weekday}.", "{weekday} isn't a placeholder. Did you mean {day}?"),
        ("See you in {city}.", "{city} isn't a placeholder."),
        ("See you {", "belongs to no placeholder"),
        ("Hi {first_name}!", "Not every contact has a first name. Write what to say instead: {first_name|…}."),
        ("x" * 1001, "1000 characters"),
    ],
)
@pytest.mark.parametrize("field", ["reminder_text_24h", "reminder_text_2h"])
def test_reminder_text_that_can_not_be_filled_in_is_refused(field, own, problem, manager_api, client, staff, acme):
    answer = manager_api.patch("/api/v1/company", {field: own})
    assert answer.status_code == 400
    assert problem in errors_of(answer)[field][0]
    client.force_login(staff)
    url = reverse("admin:crm_company_change", args=[acme.pk])
    form = {"name": "Acme", "timezone": acme.timezone, "currency": "USD", "segment_price_micros": 0, field: own}
    assert problem in client.post(url, form).context["adminform"].form.errors[field][0]


def test_manager_changes_the_texts_of_reminders(manager_api):
    own = "Hi {first_name|there}, {company_name} comes on {day} at {time}. {answers}"
    assert manager_api.patch("/api/v1/company", {"reminder_text_24h": own}).json()["reminder_text_24h"] == own
    assert manager_api.patch("/api/v1/company", {"reminder_text_24h": ""}).json()["reminder_text_24h"] == ""


def test_reminder_of_the_night_waits_for_the_morning(company):
    appointment = booked(company, starts_in=DAY, contact__state="CO")
    with all_tenants():
        appointment.contact.timezone = zone_with_hour(3)
        appointment.contact.save()
    work()
    [message] = messages_to(appointment)
    assert 4 * HOUR <= message.run_at - timezone.now() <= 5 * HOUR
    assert states(appointment) == [(24, "queued", "")]


def test_reminder_that_may_only_leave_after_it_makes_sense_is_skipped(company):
    appointment = booked(company, starts_in=2 * HOUR)
    with all_tenants():
        appointment.contact.timezone = zone_with_hour(5)
        appointment.contact.save()
    work()
    [(lead, status, reason)] = states(appointment)
    assert (lead, status) == (2, "skipped")
    assert reason.startswith("It is too close to the appointment.")
    assert messages_to(appointment) == []


def test_opted_out_contact_gets_none_with_a_reason(company):
    appointment = booked(company, starts_in=23 * HOUR)
    with tenant(company.pk):
        record_opt_out(phone=appointment.contact.phone, words="STOP", source="sms", occurred_at=timezone.now())
    work()
    assert states(appointment) == [(24, "skipped", "The contact has opted out.")]


def test_unknown_line_is_a_reason(company):
    factories.PhoneLineFactory(company=company)
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    assert states(appointment) == [(24, "skipped", reminders.NO_LINE)]


def test_reminder_goes_over_the_line_of_the_latest_conversation(company):
    appointment = booked(company, starts_in=23 * HOUR)
    line = factories.PhoneLineFactory(company=company)
    factories.ConversationFactory(contact=appointment.contact, phone_line=line)
    work()
    assert [message.phone_line_id for message in messages_to(appointment)] == [line.pk]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"status": "cancelled"}, "The appointment is cancelled."),
        ({"status": "completed"}, "The appointment is completed."),
        ({"scheduled_start": datetime(2030, 3, 3, 16, tzinfo=UTC)}, "The appointment was moved."),
    ],
)
def test_change_before_the_departure_stops_the_message(company, values, reason):
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    if "scheduled_start" in values:
        values["scheduled_end"] = values["scheduled_start"] + HOUR
    change(appointment, **values)  # a bulk update
    assert send_next_messages()
    [message] = messages_to(appointment)
    assert (message.status, message.error) == ("failed", reason)


def test_deleted_appointment_stops_the_message(company):
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    with all_tenants():
        Appointment.objects.get(pk=appointment.pk).delete()
    assert send_next_messages()
    assert [message.status for message in messages_to(appointment)] == ["failed"]


def test_switched_off_setting_stops_queued_messages(company):
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    Company.objects.update(appointment_reminders=False)
    assert send_next_messages()
    assert [message.error for message in messages_to(appointment)] == ["The company sends no reminders any more."]


def test_message_that_waited_too_long_is_not_sent(company):
    appointment = booked(company, starts_in=13 * HOUR)
    work()
    start = timezone.now() + 11 * HOUR
    change(appointment, scheduled_start=start, scheduled_end=start + HOUR)
    with all_tenants():
        AppointmentReminder.objects.update(scheduled_start=start)
    assert send_next_messages()
    assert [message.error for message in messages_to(appointment)] == ["It is too close to the appointment."]


def test_unchanged_appointment_lets_the_message_leave(company):
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    assert send_next_messages()
    assert [message.status for message in messages_to(appointment)] == ["sent"]


def test_moved_appointment_gets_a_reminder_of_its_new_start(company):
    appointment = booked(company, starts_in=23 * HOUR)
    work()
    start = timezone.now() + 20 * HOUR
    change(appointment, scheduled_start=start, scheduled_end=start + HOUR)
    work()
    _, new = messages_to(appointment)
    assert states(appointment) == [(24, "queued", "")]
    with all_tenants():
        reminder = AppointmentReminder.objects.get()
    assert (reminder.scheduled_start, reminder.message_id) == (start, new.pk)
    assert send_next_messages()
    assert send_next_messages()
    assert [(message.status, message.error) for message in messages_to(appointment)] == [
        ("failed", "The appointment was deleted, or another reminder replaces this one."),
        ("sent", ""),
    ]


def test_killed_worker_s_reminder_is_queued_once_its_lease_ends(company, monkeypatch):
    appointment = booked(company, starts_in=23 * HOUR)

    def killed(reminder):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(reminders, "_queue", killed)
        with pytest.raises(SystemExit):
            queue_next_reminders()
    assert (work(), has_pending_reminders()) == (0, True)  # leased
    with all_tenants():
        AppointmentReminder.objects.update(run_at=timezone.now())
    work()
    assert (states(appointment), len(messages_to(appointment))) == ([(24, "queued", "")], 1)


def test_worker_whose_lease_has_ended_queues_nothing(company, monkeypatch):
    appointment = booked(company, starts_in=23 * HOUR)

    def lose(contact):
        with all_tenants():
            AppointmentReminder.objects.update(run_at=timezone.now() + MINUTE)
            return PhoneLine.objects.get()

    monkeypatch.setattr(reminders, "reply_line", lose)
    queue_next_reminders()
    assert messages_to(appointment) == []
    assert [status for _, status, _ in states(appointment)] == ["pending"]


def test_failure_of_one_reminder_stops_no_other(company, monkeypatch):
    bad, good = booked(company, starts_in=22 * HOUR), booked(company, starts_in=23 * HOUR)

    def text(*, appointment, lead):
        if appointment.pk == bad.pk:
            raise ValueError("no")
        return "Tomorrow."

    monkeypatch.setattr(reminders, "text_of", text)
    work()
    assert states(bad) == [(24, "skipped", "It failed (ValueError).")]
    assert states(good) == [(24, "queued", "")]


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_queue_one_message_for_each_reminder():
    company = factories.CompanyFactory(name="Acme", appointment_reminders=True, timezone=zone_with_hour(14))
    factories.PhoneLineFactory(company=company)
    appointments = [booked(company, starts_in=23 * HOUR) for _ in range(12)]
    start = threading.Barrier(4)

    def run():
        start.wait()
        work()
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        for worker in [pool.submit(run) for _ in range(4)]:
            worker.result()
    assert [len(messages_to(appointment)) for appointment in appointments] == [1] * 12


def test_restored_copy_sends_no_reminder_that_is_due(company, capsys):
    planned, unplanned, later = (booked(company, starts_in=hours * HOUR) for hours in (20, 23, 48))
    reminders.plan_reminders(lead=DAY)
    with all_tenants():
        AppointmentReminder.objects.filter(appointment=unplanned).delete()
    call_command("hold_texts")
    assert capsys.readouterr().out.endswith("Dropped reminders: 2.\n")
    assert work() == 0
    assert states(planned) == states(unplanned) == [(24, "skipped", "It was held by hold_texts.")]
    assert states(later) == []

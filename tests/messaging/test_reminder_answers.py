"""Answers to reminders, from the webhook event to the appointment."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import Appointment
from crm.models import Contact, OptOut
from messaging.models import AppointmentReminder, Message
from messaging.notices import list_notices
from tests import factories
from tests.conftest import signed_in
from tests.messaging.payloads import CALLER, message_v4, post_event
from tests.messaging.worker_rounds import process_next_event

HOUR = timedelta(hours=1)
SENT_AT = 60  # minutes ago


@pytest.fixture
def contact(in_acme):
    return factories.ContactFactory(company=in_acme, phone=CALLER)


@pytest.fixture
def appointment(contact):
    return remind(contact, timezone.now() + 22 * HOUR)


@pytest.fixture
def arrive(client, secret, in_acme, desk, appointment):
    """Send the reminder, and then post and process texts of the contact, in order."""
    sent(appointment.contact, desk, reminder=AppointmentReminder.objects.get())

    def arrive(*payloads):
        for payload in payloads:
            assert post_event(client, payload).json()["status"] == "accepted"
            assert process_next_event()

    return arrive


def remind(contact, start, **fields):
    appointment = factories.AppointmentFactory(
        contact=contact, scheduled_start=start, created_at=start - 99 * HOUR, **fields
    )
    factories.AppointmentReminderFactory(appointment=appointment)
    return appointment


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def sent(contact, line, *, reminder=None, minutes=SENT_AT, kind="reminder", **fields):
    message = factories.MessageFactory(
        contact=contact, phone_line=line, direction="outgoing", kind=kind, created_at=ago(minutes),
        **{"status": "sent", "sent_at": ago(minutes)} | fields,
    )  # fmt: skip
    if reminder:
        reminder.message_id = message.pk
        reminder.save()
    return message


def text(body, *, minutes=0, **fields):
    return message_v4(text=body, createdAt=ago(minutes).isoformat(), **fields)


def result():
    """Return the appointment's status and the answer."""
    return Appointment.objects.values_list("status", flat=True).get(), AppointmentReminder.objects.get().answer


@pytest.mark.parametrize("body", ["C", "c", " c. ", "“C”", "C!", "Confirm", "CONFIRMED", "Ｃ"])
def test_c_confirms_the_appointment(arrive, body):
    arrive(text(body))
    assert result() == ("confirmed", "confirmed")


@pytest.mark.parametrize("body", ["R", "r", "Reschedule", "reschedule."])
def test_r_asks_the_csrs_for_another_time(arrive, body, csr, in_acme):
    arrive(text(body))
    assert result() == ("scheduled", "reschedule")
    [notice] = signed_in(csr).get("/api/v1/notices").json()["notices"]
    assert (notice["kind"], notice["count"]) == ("reschedule_requests", 1)
    [row] = signed_in(csr).get(notice["url"]).json()["results"]
    assert (row["appointment"], row["answer"]) == (Appointment.objects.get().pk, "reschedule")


@pytest.mark.parametrize(
    "body", ["Yes", "Y", "ok", "C u then", "Can you come at 3?", "R u coming?", "D", "1", "", "cc"]
)
def test_any_other_text_is_an_ordinary_message(arrive, body):
    arrive(text(body))
    assert result() == ("scheduled", "")
    assert Message.objects.unread().count() == 1


@pytest.mark.parametrize("body", ["STOP", "Cancel"])
def test_opt_out_wins(arrive, body):
    arrive(text(body))
    assert result() == ("scheduled", "")
    assert OptOut.objects.get().state == "opted_out"


@pytest.mark.parametrize(("written", "left", "kind"), [(30, 30, "reply"), (30, 30, ""), (90, 20, "reply")])
def test_answer_to_another_message_is_an_ordinary_one(arrive, contact, desk, written, left, kind):
    sent(contact, desk, minutes=written, kind=kind, sent_at=ago(left))
    arrive(text("C"))
    assert result() == ("scheduled", "")


def test_message_over_another_line_changes_nothing(arrive, contact, in_acme):
    sent(contact, factories.PhoneLineFactory(company=in_acme), minutes=30, kind="reply")
    arrive(text("C"))
    assert result() == ("confirmed", "confirmed")


def test_unsent_message_changes_nothing(arrive, contact, desk):
    sent(contact, desk, minutes=30, kind="reply", status="failed")
    arrive(text("C"))
    assert result() == ("confirmed", "confirmed")


def test_text_before_the_reminder_left_is_no_answer(arrive):
    arrive(text("C", minutes=SENT_AT + 1))
    assert result() == ("scheduled", "")


def test_text_after_the_start_is_no_answer(arrive):
    start = ago(5)
    Appointment.objects.update(scheduled_start=start, scheduled_end=start + HOUR)
    AppointmentReminder.objects.update(scheduled_start=start)
    arrive(text("C"))
    assert result() == ("scheduled", "")


@pytest.mark.parametrize("status", ["cancelled", "completed", "no_show"])
def test_answer_to_an_appointment_that_is_not_to_come_changes_nothing(arrive, status):
    Appointment.objects.update(status=status)
    arrive(text("C"), text("R"))
    assert result() == (status, "")


def test_answer_after_a_move_is_about_the_former_time(arrive):
    start = timezone.now() + 30 * HOUR
    Appointment.objects.update(scheduled_start=start, scheduled_end=start + HOUR)
    arrive(text("C"))
    assert result() == ("scheduled", "")


def test_latest_answer_counts_by_its_time(arrive):
    arrive(text("R", minutes=10), text("C", minutes=20))
    assert result() == ("scheduled", "reschedule")
    arrive(text("C", minutes=5))
    assert result() == ("confirmed", "confirmed")
    assert not [n for n in list_notices(zone=Contact.objects.get().company.zone) if n.kind == "reschedule_requests"]


def test_repeated_webhook_event_changes_nothing(arrive):
    arrive(text("C", id="ACanswer"))
    Appointment.objects.update(status="scheduled")  # by a user who knows better
    arrive(text("C", id="ACanswer"))
    assert result() == ("scheduled", "confirmed")


def test_answer_is_about_the_latest_reminder_alone(arrive, contact, desk):
    later = remind(contact, timezone.now() + 23 * HOUR)
    sent(contact, desk, reminder=AppointmentReminder.objects.get(appointment=later), minutes=30)
    arrive(text("C"))
    statuses = Appointment.objects.order_by("scheduled_start").values_list("status", flat=True)
    assert list(statuses) == ["scheduled", "confirmed"]


@pytest.mark.parametrize(
    "solve",
    [
        {"status": "cancelled"},
        {"scheduled_start": timezone.now() + 50 * HOUR, "scheduled_end": timezone.now() + 51 * HOUR},
    ],
    ids=["cancelled", "moved"],
)
def test_request_for_another_time_ends_when_somebody_has_acted(arrive, csr_api, solve):
    arrive(text("R"))
    assert csr_api.get("/api/v1/notices").json()["notices"]
    Appointment.objects.update(**solve)
    assert csr_api.get("/api/v1/notices").json()["notices"] == []
    assert csr_api.get("/api/v1/appointment-reminders?reschedule=true").json()["results"] == []


def test_notice_of_a_csr_leaves_out_what_only_managers_solve(in_acme, csr_api, manager_api):
    factories.PhoneLineFactory(company=in_acme, name="")
    factories.OptOutFactory(company=in_acme, state="under_review")
    kinds = [[n["kind"] for n in api.get("/api/v1/notices").json()["notices"]] for api in (csr_api, manager_api)]
    assert kinds == [["opt_outs_under_review"], ["unnamed_line", "opt_outs_under_review"]]


def test_reminder_shows_the_state_of_its_message(arrive, csr_api):
    [row] = csr_api.get("/api/v1/appointment-reminders").json()["results"]
    assert (row["status"], row["message_status"], row["contact"]) == ("queued", "sent", Contact.objects.get().pk)

"""Answers to reminders of appointments: C confirms, R asks for another time."""

from datetime import timedelta
from typing import Any

from calls.choices import COMING, AppointmentStatus
from calls.models import Appointment
from calls.services.booking import change_appointment
from crm.choices import Direction
from messaging.choices import MessageKind, MessageStatus, ReminderAnswer
from messaging.models import AppointmentReminder, Message
from messaging.opt_out_text.normalize import normalize

# Only these, alone. "Yes" may answer a question of the CSR, and "OK" is often said by people who can't come.
ANSWERS = {
    "c": ReminderAnswer.CONFIRMED,
    "confirm": ReminderAnswer.CONFIRMED,
    "confirmed": ReminderAnswer.CONFIRMED,
    "r": ReminderAnswer.RESCHEDULE,
    "reschedule": ReminderAnswer.RESCHEDULE,
}
LONGEST = 40  # characters: one of these words, with punctuation
READ_BACK = timedelta(days=2)  # a reminder is written at most a day before the start
LEFT = (MessageStatus.SENDING, MessageStatus.UNKNOWN, MessageStatus.SENT, MessageStatus.DELIVERED)


def handle_reminder_answer(*, message: Message) -> None:
    """Apply an incoming message that answers a reminder, in the transaction that records it. Idempotent.

    It is an answer if the last message to the contact over the line was a reminder, and the appointment hasn't begun
    and wasn't moved since. Any other C or R is an ordinary message. The latest answer counts, by the provider's time.
    """
    answer = find_answer(message.body)
    reminder = _find_reminder_before(message) if answer else None
    if answer is None or reminder is None or not reminder.scheduled_start >= message.created_at:
        return
    if reminder.answered_at is not None and reminder.answered_at >= message.created_at:
        return
    appointment = Appointment.objects.select_for_update(no_key=True, of=("self",)).get(pk=reminder.appointment_id)
    if appointment.scheduled_start != reminder.scheduled_start or appointment.status not in COMING:
        return
    reminder.answer, reminder.answered_at = answer, message.created_at
    reminder.save(update_fields=["answer", "answered_at"])
    if answer == ReminderAnswer.CONFIRMED and appointment.status == AppointmentStatus.SCHEDULED:
        change_appointment(appointment=appointment, status=AppointmentStatus.CONFIRMED)


def find_answer(body: str) -> ReminderAnswer | None:
    """Return the answer that a text is, if it follows a reminder."""
    return ANSWERS.get(normalize(body)) if len(body) <= LONGEST else None


def _find_reminder_before(message: Message) -> AppointmentReminder | None:
    """Return the reminder that was the last message to the contact over the line when this one came, locked."""
    at = message.created_at
    outgoing: Any = Message.objects.filter(
        contact=message.contact_id,
        phone_line=message.phone_line_id,
        direction=Direction.OUTGOING,
        status__in=LEFT,
        created_at__range=(at - READ_BACK, at),
    )
    left = outgoing.left_after(at - READ_BACK).filter(departure__lte=at)
    last = left.order_by("-departure", "-id").values_list("pk", "kind").first()
    if last is None or last[1] != MessageKind.REMINDER:
        return None
    return AppointmentReminder.objects.select_for_update(no_key=True).filter(message_id=last[0]).first()

"""The checks of a reminder when it is queued, and again when it leaves: the appointment may have changed meanwhile."""

from collections.abc import Collection
from datetime import datetime, timedelta

from calls.choices import COMING, AppointmentStatus
from calls.models import Appointment
from messaging.models import AppointmentReminder

FIRST_LEAD = timedelta(hours=24)
LEADS = (FIRST_LEAD, timedelta(hours=2))

REPLACED = "The appointment was deleted, or another reminder replaces this one."
MOVED = "The appointment was moved."
NOT_COMING = "The appointment is {status}."
OFF = "The company sends no reminders any more."
TOO_LATE = "It is too close to the appointment."


def latest_departure(start: datetime, lead: timedelta) -> datetime:
    """Return the time until which a reminder makes sense: half of its lead time is left."""
    return start - lead / 2


def fault_of(*, reminder: AppointmentReminder, appointment: Appointment, now: datetime) -> str:
    """Return why a reminder may not be sent; "" if it may."""
    if appointment.scheduled_start != reminder.scheduled_start:
        return MOVED
    if appointment.status not in COMING:
        return NOT_COMING.format(status=AppointmentStatus(appointment.status).label.lower())
    if not appointment.company.appointment_reminders:
        return OFF
    if now > latest_departure(appointment.scheduled_start, timedelta(minutes=reminder.lead_minutes)):
        return TOO_LATE
    return ""


def find_reminder_faults(*, message_ids: Collection[int], now: datetime) -> dict[int, str]:
    """Return why reminders may not leave, by the id of the message. Those that may leave aren't in it.

    One statement, which sees every change that was committed before: also those of bulk updates and other programs.
    """
    if not message_ids:
        return {}
    reminders = AppointmentReminder.objects.filter(message_id__in=message_ids)
    faults = dict.fromkeys(message_ids, REPLACED)
    for reminder in reminders.select_related("appointment__company"):
        if reminder.message_id is not None:
            faults[reminder.message_id] = fault_of(reminder=reminder, appointment=reminder.appointment, now=now)
    return {pk: fault for pk, fault in faults.items() if fault}

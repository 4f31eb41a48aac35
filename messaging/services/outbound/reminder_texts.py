"""Texts of appointment reminders."""

from datetime import timedelta

from calls.choices import AppointmentStatus
from calls.models import Appointment
from crm.models.appointment_texts import REMINDER_PLACEHOLDERS, REMINDER_TEXT
from crm.placeholders import clean_value, parse_text
from messaging.services.campaigns.texts import introduce
from messaging.services.outbound.reminder_policy import FIRST_LEAD


def text_of(*, appointment: Appointment, lead: timedelta) -> str:
    """Return the reminder's text, with the start by the clock of the appointment's time zone.

    A company's own text gets its name and how to opt out, unless it says so.
    """
    company = appointment.company
    own = company.reminder_text_24h if lead == FIRST_LEAD else company.reminder_text_2h
    name = clean_value(company.name)
    values = {
        "first_name": clean_value(appointment.contact.first_name),
        "last_name": clean_value(appointment.contact.last_name),
        "company_name": name,
        "day": f"{appointment.date:%a, %b} {appointment.date.day}",
        "time": f"{appointment.time.hour % 12 or 12}:{appointment.time:%M %p}",
        "answers": _answers(appointment),
    }
    return introduce(parse_text(own.strip() or REMINDER_TEXT, REMINDER_PLACEHOLDERS).fill(values), name)


def _answers(appointment: Appointment) -> str:
    if appointment.status == AppointmentStatus.CONFIRMED:
        return "Reply R to reschedule."
    return "Reply C to confirm or R to reschedule."

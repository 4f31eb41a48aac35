"""Texts of appointment reminders that a company may write."""

from django.core.exceptions import ValidationError

from crm.placeholders import parse_text

MAX_REMINDER_TEXT = 1000  # characters: with all that is filled in, it stays below the providers' limit
# `day` and `time` are by the clock of the appointment; `answers` asks for C or R, as the appointment's status allows.
REMINDER_PLACEHOLDERS = ("first_name", "last_name", "company_name", "day", "time", "answers")
REMINDER_TEXT = "{company_name}: your appointment is on {day} at {time}. {answers} Text STOP to opt out."
_MAY_BE_EMPTY = ("first_name", "last_name")


def validate_reminder_text(text: str) -> None:
    """Raise ValidationError unless the text can be filled in for every appointment: nobody looks before it leaves."""
    parsed = parse_text(text, REMINDER_PLACEHOLDERS)
    problems = [fault.detail for fault in parsed.faults]
    problems += [
        f"Not every contact has a {name.replace('_', ' ')}. Write what to say instead: {{{name}|…}}."
        for name in parsed.without_default
        if name in _MAY_BE_EMPTY
    ]
    if problems:
        raise ValidationError(" ".join(problems))

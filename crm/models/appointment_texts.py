"""Texts about appointments that a company may write."""

from django.core.exceptions import ValidationError

from crm.placeholders import parse_text

MAX_APPOINTMENT_TEXT = 1000  # characters: with all that is filled in, it stays below the providers' limit
# `day` and `time` are by the clock of the appointment; `answers` asks for C or R, as the appointment's status allows.
REMINDER_PLACEHOLDERS = ("first_name", "last_name", "company_name", "day", "time", "answers")
REMINDER_TEXT = "{company_name}: your appointment is on {day} at {time}. {answers} Text STOP to opt out."
# `minutes` has its unit: "20 minutes".
ON_THE_WAY_PLACEHOLDERS = ("first_name", "last_name", "company_name", "rep", "minutes")
_MISSING = {
    "first_name": "Not every contact has a first name.",
    "last_name": "Not every contact has a last name.",
    "rep": "Not every appointment has a rep.",
}


def validate_reminder_text(text: str) -> None:
    """Raise ValidationError unless the text can be filled in for every appointment: nobody looks before it leaves."""
    _validate(text, REMINDER_PLACEHOLDERS)


def validate_on_the_way_text(text: str) -> None:
    """Raise ValidationError unless the text can be filled in for every appointment."""
    _validate(text, ON_THE_WAY_PLACEHOLDERS)


def _validate(text: str, placeholders: tuple[str, ...]) -> None:
    parsed = parse_text(text, placeholders)
    problems = [fault.detail for fault in parsed.faults]
    problems += [
        f"{_MISSING[name]} Write what to say instead: {{{name}|…}}."
        for name in parsed.without_default
        if name in _MISSING
    ]
    if problems:
        raise ValidationError(" ".join(problems))

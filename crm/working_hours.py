"""Working hours of a company: for each day of the week when it opens and closes, by the company's clock."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def validate_working_hours(hours: Any) -> None:
    """Raise ValidationError unless each day is null, or has `opens` before `closes`, such as 08:00 and 17:30."""
    if not isinstance(hours, dict):
        raise ValidationError("Must be an object of days.")
    if unknown := [name for name in hours if name not in DAYS]:
        raise ValidationError(f"{unknown[0]!r} isn't a day; use {', '.join(DAYS)}.")
    for day, span in hours.items():
        if span is not None and not _is_span(span):
            example = '{"opens": "08:00", "closes": "17:30"}'
            raise ValidationError(f"{day}: must be null, or times of which the first is earlier: {example}.")


def is_open(*, hours: Mapping[str, Mapping[str, str] | None] | None, zone: ZoneInfo, moment: datetime) -> bool:
    """Return whether the company works at that moment. Without working hours it always does."""
    if hours is None:
        return True
    local = moment.astimezone(zone)
    span = hours.get(DAYS[local.weekday()])
    return span is not None and span["opens"] <= f"{local:%H:%M}" < span["closes"]


def _is_span(span: Any) -> bool:
    if not isinstance(span, dict) or span.keys() != {"opens", "closes"}:
        return False
    opens, closes = span["opens"], span["closes"]
    return all(isinstance(each, str) and re.fullmatch(CLOCK, each) for each in (opens, closes)) and opens < closes

"""Form fields of instants that staff type in a row's own time zone."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from crm.date_ranges import FIRST_DAY, LAST_DAY


def shown_in(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the local date and time without an offset, which a form shows as it is."""
    return instant.astimezone(zone).replace(tzinfo=None)


def read_in(typed: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a typed date and time. Of an hour that comes twice, the first is meant.

    Raises:
        ValidationError: the clock skips this time, or the day is out of the range of `crm.date_ranges`.
    """
    if not FIRST_DAY <= typed.date() <= LAST_DAY:  # a conversion of Python's first or last day could fail
        raise ValidationError(f"Must be a day from {FIRST_DAY} to {LAST_DAY}.")
    local = typed.replace(tzinfo=zone)
    if shown_in(local.astimezone(ZoneInfo("UTC")), zone) != typed.replace(tzinfo=None):
        later = (local + timedelta(hours=1)).strftime("%H:%M")
        raise ValidationError(f"The clock in {zone.key} skips this time; enter {later} or later.")
    return local


def describe_moment(instant: datetime | None, zone: ZoneInfo) -> str:
    """Return `2026-03-08 14:05, America/Denver`."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}, {zone.key}" if instant else ""


def as_typed(value: Any) -> datetime | None:
    """Return what was typed into Django's field, which takes it for UTC."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else None

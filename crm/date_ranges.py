"""Days as a company counts them: from midnight to midnight in its own zone, 23 to 25 hours long."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import now

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)


def today_in(zone: ZoneInfo) -> date:
    return now().astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which `day` begins in `zone`.

    Where the clock springs forward at midnight, 00:00 does not exist: with fold=0 Python counts it by the offset that
    held before, which gives the instant of the change, the day's true beginning.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def bounds_of(start: date | None, end: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The days `start` to `end`, both included, as [from, to) instants; None leaves a side open."""
    return (
        start_of(start, zone) if start else None,
        start_of(end + timedelta(days=1), zone) if end else None,
    )


def days_between(start: date, end: date) -> list[date]:
    """Every day from `start` to `end`, both included, in order."""
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]

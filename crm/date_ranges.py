"""Days of a company: from midnight to midnight in its time zone, 23 to 25 hours long."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import now

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)
A_DAY = "must be a day such as 2026-03-02"


@dataclass(frozen=True)
class DateRange:
    """Days of a company, both ends included; None leaves an end open."""

    start_date: date | None
    end_date: date | None
    zone: ZoneInfo

    @property
    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The range as [from, to) instants."""
        return bounds_of(self.start_date, self.end_date, self.zone)

    @property
    def closed_bounds(self) -> tuple[datetime, datetime]:
        """The bounds of a range with both ends. Raises ValueError for an open range."""
        start, end = self.bounds
        if start is None or end is None:
            raise ValueError("The date range must have a start and an end.")
        return start, end

    @property
    def days(self) -> list[date]:
        """Every day, in order. Raises ValueError for an open range."""
        if self.start_date is None or self.end_date is None:
            raise ValueError("The date range must have a start and an end.")
        return days_between(self.start_date, self.end_date)

    def as_json(self) -> dict[str, object]:
        return {"start_date": self.start_date, "end_date": self.end_date, "timezone": self.zone.key}


class InvalidDay(ValueError):
    """The text isn't a day, or the day is out of range. The message follows the name of a field."""


def parse_day(text: str) -> date:
    """Return the day that `YYYY-MM-DD` names. Python would also read `2026-1-1`, `20260101` and other digits.

    Raises:
        InvalidDay: the text isn't such a day, or isn't within the range.
    """
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise InvalidDay(A_DAY)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidDay(A_DAY) from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidDay(f"must be a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def today_in(zone: ZoneInfo) -> date:
    return now().astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which `day` begins in `zone`."""
    # Where the clock springs forward at midnight, 00:00 does not exist. With fold=0 Python applies the offset from
    # before the change, which gives the instant of the change: the day's true beginning.
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def bounds_of(start: date | None, end: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return the days `start` to `end`, both included, as [from, to) instants; None leaves an end open."""
    return (
        start_of(start, zone) if start else None,
        start_of(end + timedelta(days=1), zone) if end else None,
    )


def days_between(start: date, end: date) -> list[date]:
    """Return every day from `start` to `end`, both included, in order."""
    return list(map(date.fromordinal, range(start.toordinal(), end.toordinal() + 1)))

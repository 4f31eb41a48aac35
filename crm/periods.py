"""A range of a company's days, which its numbers are about."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from crm.date_ranges import bounds_of, days_between


@dataclass(frozen=True)
class Period:
    """Days of a company, both included; None leaves a side open."""

    start_date: date | None
    end_date: date | None
    zone: ZoneInfo

    @property
    def bounds(self) -> tuple[datetime | None, datetime | None]:
        """The instants from which (included) and until which (excluded) it lasts."""
        return bounds_of(self.start_date, self.end_date, self.zone)

    @property
    def closed_bounds(self) -> tuple[datetime, datetime]:
        """The same, of a period with both ends. Raises ValueError for another."""
        start, end = self.bounds
        if start is None or end is None:
            raise ValueError("This period has no end.")
        return start, end

    @property
    def days(self) -> list[date]:
        """Every day, in order. Raises ValueError for a period without both ends."""
        if self.start_date is None or self.end_date is None:
            raise ValueError("This period has no end.")
        return days_between(self.start_date, self.end_date)

    def as_json(self) -> dict[str, object]:
        return {"start_date": self.start_date, "end_date": self.end_date, "timezone": self.zone.key}

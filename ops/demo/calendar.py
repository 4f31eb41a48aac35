"""Instants as seconds since 1970 UTC: integers, because datetimes are too slow for millions of rows."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86_400
DAYS_AHEAD = 30  # how far into the future appointments are planned
TIMES = [f"{second // HOUR:02d}:{second // MINUTE % 60:02d}:{second % 60:02d}" for second in range(DAY)]


@lru_cache(maxsize=4096)
def _date_text(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def stamp(instant: int) -> str:
    """Format as both databases read it: `2026-03-01 09:30:00`, in UTC."""
    day, second = divmod(instant, DAY)
    return f"{_date_text(day)} {TIMES[second]}"


class Calendar:
    """The days of a demo's history in one time zone, up to the local midnight before `until`."""

    def __init__(self, *, until: date, days: int, zone: ZoneInfo) -> None:
        self.days = days
        self.dates = [until + timedelta(days=day - days) for day in range(days + DAYS_AHEAD + 1)]
        # Twelve hours before noon: on the two days a year when the offset changes, the small hours are an hour off.
        noons = [datetime.combine(day, time(12), zone) for day in self.dates]
        self.midnights = [int(noon.timestamp()) - 12 * HOUR for noon in noons]
        self.start, self.end = self.midnights[0], self.midnights[days]

    def day_of(self, instant: int) -> int:
        """Return the number of the instant's day, from 0; an hour around midnight may count for either day."""
        return (instant - self.start) // DAY

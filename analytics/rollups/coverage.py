"""Coverage of a company's rollup: the days that it can answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.rollups.measures import Counted
from crm.date_ranges import start_of
from crm.db.tenancy import current_company_id, reading_connection

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DayRange = tuple[date | None, date | None]  # both included; None leaves a side open

# Columns that a statement reads beside its counts, in the same snapshot: if they differ from
# `RollupCoverage.snapshot`, the coverage was outdated when the statement ran.
SNAPSHOT_VERSION = """
    (SELECT version FROM call_rollups WHERE company_id = %s) AS version,
    (SELECT count(*) FROM stale_call_hours WHERE company_id = %s) AS stale
"""

# Written by hand as one statement: two of the ORM took a tenth of a request's time.
READ_COVERAGE = """
SELECT rollup.version, rollup.timezone, rollup.rolled_up_until, stale.hour, stale.rows
FROM (SELECT 1) AS always
LEFT JOIN call_rollups AS rollup ON rollup.company_id = %s
LEFT JOIN (
    SELECT hour, count(*) AS rows FROM stale_call_hours WHERE company_id = %s GROUP BY hour
) AS stale ON true
"""


@dataclass(frozen=True)
class RollupCoverage:
    """Days of the active tenant that its rollup can answer, as of one read."""

    until: date | None = None
    """The last counted day. None: none is counted in the company's time zone."""
    stale: frozenset[date] = frozenset()
    """Days with changes since they were counted."""
    snapshot: tuple[int | None, int] | None = None
    """The value of SNAPSHOT_VERSION for as long as this coverage holds."""

    def rollup_days_sql(self, what: Counted, start: date | None, end: date | None) -> tuple[str, list[Any]]:
        """Return a statement, with its parameters, that reads the counts of the covered days of a range.

        Its columns are those of `count_rows`.
        """
        until = self.until or date.min
        stale = self._stale_between(start, end)
        statement = (
            f"SELECT day, {what.columns} FROM {what.days}"  # noqa: S608  # constants
            " WHERE company_id = %s AND day BETWEEN %s AND %s"
            + (f" AND day NOT IN ({', '.join(['%s'] * len(stale))})" if stale else "")
        )
        days = [start or date.min, min(until, end or until), *stale]
        return statement, [current_company_id(), *(day.isoformat() for day in days)]

    def uncovered_ranges(self, start: date | None, end: date | None) -> Iterator[DayRange]:
        """Yield the ranges of days from `start` to `end` that `rollup_days_sql` leaves out."""
        if self.until is None:
            yield start, end
            return
        ranges = list(_ranges_of(day for day in self._stale_between(start, end) if day <= self.until))
        after = max(self.until + DAY, start or date.min)
        if end is None or after <= end:
            if ranges and ranges[-1][1] + DAY == after:
                after = ranges.pop()[0]
            yield from ranges
            yield after, end
        else:
            yield from ranges

    def _stale_between(self, start: date | None, end: date | None) -> list[date]:
        return [day for day in sorted(self.stale) if (not start or day >= start) and (not end or day <= end)]


def read_coverage(zone: ZoneInfo) -> RollupCoverage:
    """Return the coverage of the active tenant's rollup, in days of `zone`."""
    with reading_connection().cursor() as cursor:
        cursor.execute(READ_COVERAGE, snapshot_parameters())
        rows = cursor.fetchall()
    version, rollup_zone, until = rows[0][:3]
    stale = {_instant(hour): count for *_, hour, count in rows if hour}
    snapshot = (version, sum(stale.values()))
    if rollup_zone != zone.key:
        return RollupCoverage(snapshot=snapshot)
    return RollupCoverage(
        until=date.fromisoformat(str(until)) if until else None, stale=days_of(stale, zone), snapshot=snapshot
    )


def _instant(hour: datetime) -> datetime:
    """Return an aware time: raw SQL on SQLite returns UTC times without their zone."""
    return hour if hour.tzinfo else hour.replace(tzinfo=UTC)


def snapshot_parameters() -> list[Any]:
    return [current_company_id()] * 2


def days_of(hours: Iterable[datetime], zone: ZoneInfo) -> frozenset[date]:
    """Return the days in `zone` that these hours overlap: two days where midnight falls within the hour."""
    days = set()
    for hour in hours:
        shown = hour.astimezone(zone).date()
        # A clock set back past midnight shows yesterday's date for a while, so compare with the starts of the days.
        for day in (shown - DAY, shown, shown + DAY):
            if start_of(day, zone) < hour + HOUR and hour < start_of(day + DAY, zone):
                days.add(day)
    return frozenset(days)


def _ranges_of(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Group sorted days into ranges of consecutive ones."""
    first = last = None
    for day in days:
        if last and first and day == last + DAY:
            last = day
            continue
        if first and last:
            yield first, last
        first = last = day
    if first and last:
        yield first, last

"""What of a company's calls is counted ahead, and what has still to be counted when somebody asks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from analytics.rollups.measures import MEASURES
from crm.date_ranges import start_of
from crm.db.tenancy import current_company_id

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Run = tuple[date | None, date | None]  # days, both included; None leaves a side open

# What a statement reads beside its counts, in the same snapshot: had it changed, `RollupCoverage` would be outdated.
SNAPSHOT_VERSION = """
    (SELECT version FROM call_rollups WHERE company_id = %s) AS version,
    (SELECT count(*) FROM stale_call_hours WHERE company_id = %s) AS stale
"""

# Both in one statement, by hand: the two of the ORM took a tenth of the time of a request.
READ_COVERAGE = """
SELECT rollup.version, rollup.timezone, rollup.rolled_up_until, stale.hour, stale.marks
FROM (SELECT 1) AS always
LEFT JOIN call_rollups AS rollup ON rollup.company_id = %s
LEFT JOIN (
    SELECT hour, count(*) AS marks FROM stale_call_hours WHERE company_id = %s GROUP BY hour
) AS stale ON true
"""


@dataclass(frozen=True)
class RollupCoverage:
    """Which days of the tenant entered can be taken from its rollup, as of one look at it."""

    until: date | None = None
    """The last day counted; None: none is, or none in the company's zone."""
    stale: frozenset[date] = frozenset()
    """Days that have changed since they were counted."""
    mark: tuple[int | None, int] | None = None
    """What MARK gives as long as this is true."""

    def rollup_days_sql(self, start: date | None, end: date | None) -> tuple[str, list[Any]]:
        """A statement, and its parameters, that reads `day` and MEASURES of the days counted ahead from `start` on."""
        until = self.until or date.min
        stale = [day for day in sorted(self.stale) if (not start or day >= start) and (not end or day <= end)]
        statement = (
            f"SELECT day, {', '.join(MEASURES)} FROM call_days"  # noqa: S608  # constants
            " WHERE company_id = %s AND day BETWEEN %s AND %s"
            + (f" AND day NOT IN ({', '.join(['%s'] * len(stale))})" if stale else "")
        )
        days = [start or date.min, min(until, end or until), *stale]
        return statement, [current_company_id(), *(day.isoformat() for day in days)]

    def uncovered_ranges(self, start: date | None, end: date | None) -> Iterator[Run]:
        """The days from `start` to `end` that these leave out, in runs of days that follow each other."""
        if self.until is None:
            yield start, end
            return
        stale = (day for day in sorted(self.stale) if (not start or day >= start) and (not end or day <= end))
        after = max(self.until + DAY, start or date.min)
        runs = list(_runs(day for day in stale if day <= self.until))
        if end is None or after <= end:
            if runs and runs[-1][1] + DAY == after:
                after = runs.pop()[0]
            yield from runs
            yield after, end
        else:
            yield from runs


def read_coverage(zone: ZoneInfo) -> RollupCoverage:
    """What the tenant entered has counted ahead, in days of `zone`."""
    with connection.cursor() as cursor:
        cursor.execute(READ_COVERAGE, snapshot_parameters())
        rows = cursor.fetchall()
    version, of_zone, until = rows[0][:3]
    stale = {_instant(hour): marks for *_, hour, marks in rows if hour}
    mark = (version, sum(stale.values()))
    if of_zone != zone.key:
        return RollupCoverage(mark=mark)
    return RollupCoverage(
        until=date.fromisoformat(str(until)) if until else None, stale=days_of(stale, zone), mark=mark
    )


def _instant(hour: datetime) -> datetime:
    """SQLite keeps times in UTC without saying so."""
    return hour if hour.tzinfo else hour.replace(tzinfo=UTC)


def snapshot_parameters() -> list[Any]:
    return [current_company_id()] * 2


def days_of(hours: Iterable[datetime], zone: ZoneInfo) -> frozenset[date]:
    """The days in `zone` that these hours are part of: two, where the zone's days begin in the middle of one."""
    days = set()
    for hour in hours:
        shown = hour.astimezone(zone).date()
        # A clock that is put back over midnight shows yesterday's date for a while: what counts is where days begin.
        for day in (shown - DAY, shown, shown + DAY):
            if start_of(day, zone) < hour + HOUR and hour < start_of(day + DAY, zone):
                days.add(day)
    return frozenset(days)


def _runs(days: Iterable[date]) -> Iterator[tuple[date, date]]:
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

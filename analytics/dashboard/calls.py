"""Call counts of a period, from the rollup where it covers the days and from the calls elsewhere.

The counts are exact after every write: triggers record stale hours, and stale days are counted from their calls.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from analytics.rollups.coverage import SNAPSHOT_VERSION, DayRange, RollupCoverage, read_coverage, snapshot_parameters
from analytics.rollups.measures import MEASURES, Span, count_calls, sum_of
from crm.date_ranges import DateRange, bounds_of
from crm.db.tenancy import reading_connection

# A try fails if the worker or a writer changes the coverage between its two statements. After the last one, all days
# are counted from their calls.
TRIES = 3

COUNT = """
SELECT snapshot.version, snapshot.stale, counted.* FROM (SELECT {snapshot}) AS snapshot LEFT JOIN (
    SELECT {day} AS day, {sums} FROM ({covered} UNION ALL {uncovered}) AS part {group}
) AS counted ON true
"""
TOTALS = {"day": "NULL", "group": ""}
BY_DAY = {"day": "part.day", "group": "GROUP BY part.day"}


def sum_calls(period: DateRange) -> dict[str, Any]:
    """Return each of MEASURES over the whole period."""

    def one_span(days: DayRange) -> list[Span]:
        return [Span(*DateRange(*days, period.zone).bounds, None)]

    [(_, *counts)] = _count(period, one_span, **TOTALS)
    return {name: count or 0 for name, count in zip(MEASURES, counts, strict=True)}


def count_calls_by_day(period: DateRange) -> dict[date, dict[str, Any]]:
    """Return each of MEASURES for every day of a closed period that has calls."""

    def span_per_day(days: DayRange) -> list[Span]:
        return [Span(*bounds_of(day, day, period.zone), day) for day in DateRange(*days, period.zone).days]

    rows = _count(period, span_per_day, **BY_DAY)
    return {date.fromisoformat(str(day)): dict(zip(MEASURES, counts, strict=True)) for day, *counts in rows if day}


def _count(period: DateRange, spans_of: Callable[[DayRange], list[Span]], **shape: str) -> Sequence[Any]:
    for _ in range(TRIES):
        coverage = read_coverage(period.zone)
        rows = _count_with(coverage, period, spans_of, shape)
        if rows[0][:2] == coverage.snapshot:
            break
    else:
        rows = _count_with(RollupCoverage(), period, spans_of, shape)
    return [row[2:] for row in rows]


def _count_with(
    coverage: RollupCoverage, period: DateRange, spans_of: Callable[[DayRange], list[Span]], shape: dict[str, str]
) -> list[tuple[Any, ...]]:
    days = period.start_date, period.end_date
    covered, covered_parameters = coverage.rollup_days_sql(*days)
    spans = [span for day_range in coverage.uncovered_ranges(*days) for span in spans_of(day_range)]
    uncovered, uncovered_parameters = count_calls(spans)
    sums = ", ".join(f"{sum_of(name, 'part')} AS {name}" for name in MEASURES)
    with reading_connection().cursor() as cursor:
        cursor.execute(
            COUNT.format(snapshot=SNAPSHOT_VERSION, sums=sums, covered=covered, uncovered=uncovered, **shape),
            [*snapshot_parameters(), *covered_parameters, *uncovered_parameters],
        )
        return cursor.fetchall()

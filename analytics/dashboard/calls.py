"""The calls of a period in figures: of most days as they were counted ahead, of the rest as they are.

Always exact, whoever wrote: triggers mark what changes, and a day that is marked is counted from its calls.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django.db import connection

from analytics.rollups.coverage import SNAPSHOT_VERSION, RollupCoverage, Run, read_coverage, snapshot_parameters
from analytics.rollups.measures import MEASURES, Span, count_calls, sum_of
from crm.date_ranges import DateRange, bounds_of

TRIES = 3  # before everything is counted anew: between two looks the worker has folded, or a call has changed

COUNT = """
SELECT mark.version, mark.stale, counted.* FROM (SELECT {mark}) AS mark LEFT JOIN (
    SELECT {day} AS day, {sums} FROM ({clean} UNION ALL {rest}) AS part {group}
) AS counted ON true
"""
TOTALS = {"day": "NULL", "group": ""}
BY_DAY = {"day": "part.day", "group": "GROUP BY part.day"}


def sum_calls(period: DateRange) -> dict[str, Any]:
    """Each of MEASURES over the whole period."""

    def whole(run: Run) -> list[Span]:
        return [Span(*DateRange(*run, period.zone).bounds, None)]

    [(_, *counts)] = _count(period, whole, **TOTALS)
    return {name: count or 0 for name, count in zip(MEASURES, counts, strict=True)}


def count_calls_by_day(period: DateRange) -> dict[date, dict[str, Any]]:
    """Each of MEASURES, of every day of a closed period that had a call."""

    def each_day(run: Run) -> list[Span]:
        return [Span(*bounds_of(day, day, period.zone), day) for day in DateRange(*run, period.zone).days]

    rows = _count(period, each_day, **BY_DAY)
    return {date.fromisoformat(str(day)): dict(zip(MEASURES, counts, strict=True)) for day, *counts in rows if day}


def _count(period: DateRange, spans_of: Callable[[Run], list[Span]], **shape: str) -> Sequence[Any]:
    for _ in range(TRIES):
        coverage = read_coverage(period.zone)
        rows = _ask(period, coverage, spans_of, shape)
        if rows[0][:2] == coverage.mark:
            break
    else:
        rows = _ask(period, RollupCoverage(), spans_of, shape)
    return [row[2:] for row in rows]


def _ask(
    period: DateRange, coverage: RollupCoverage, spans_of: Callable[[Run], list[Span]], shape: dict[str, str]
) -> list[tuple[Any, ...]]:
    days = period.start_date, period.end_date
    clean, of_clean = coverage.rollup_days_sql(*days)
    rest, of_rest = count_calls([span for run in coverage.uncovered_ranges(*days) for span in spans_of(run)])
    sums = ", ".join(f"{sum_of(name, 'part')} AS {name}" for name in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT.format(mark=SNAPSHOT_VERSION, sums=sums, clean=clean, rest=rest, **shape),
            [*snapshot_parameters(), *of_clean, *of_rest],
        )
        return cursor.fetchall()

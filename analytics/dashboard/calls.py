"""Call counts of a period."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from analytics.dashboard.exact import one_span, read_counts
from analytics.rollups.coverage import DayRange, RollupCoverage
from analytics.rollups.measures import CALLS, MEASURES, Span, sum_of
from crm.date_ranges import DateRange, bounds_of

TOTALS = "SELECT {sums} FROM part"


def sum_calls(period: DateRange) -> dict[str, Any]:
    """Return each of MEASURES over the whole period."""
    [counts] = read_counts(CALLS, period, TOTALS, spans_of=one_span(period))
    return {name: count or 0 for name, count in zip(MEASURES, counts, strict=True)}


def count_calls_by_day(
    period: DateRange, measures: Iterable[str] = MEASURES, *, coverage: RollupCoverage | None = None
) -> dict[date, dict[str, Any]]:
    """Return these measures for every day of a closed period that has calls."""
    names = list(measures)
    sums = ", ".join(sum_of(name, "part") for name in names)
    by_day = f"SELECT part.day, {sums} FROM part GROUP BY part.day"  # noqa: S608  # names of measures

    def span_per_day(days: DayRange) -> list[Span]:
        return [Span(*bounds_of(day, day, period.zone), day) for day in DateRange(*days, period.zone).days]

    rows = read_counts(CALLS, period, by_day, spans_of=span_per_day, coverage=coverage)
    # SQLite has days as texts.
    days = ((date.fromisoformat(day) if isinstance(day, str) else day, counts) for day, *counts in rows if day)
    return {day: dict(zip(names, counts, strict=True)) for day, counts in days}

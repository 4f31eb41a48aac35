"""Call counts of a period."""

from datetime import date
from typing import Any

from analytics.dashboard.exact import one_span, read_counts
from analytics.rollups.coverage import DayRange
from analytics.rollups.measures import CALLS, MEASURES, Span
from crm.date_ranges import DateRange, bounds_of

TOTALS = "SELECT {sums} FROM part"
BY_DAY = "SELECT part.day, {sums} FROM part GROUP BY part.day"


def sum_calls(period: DateRange) -> dict[str, Any]:
    """Return each of MEASURES over the whole period."""
    [counts] = read_counts(CALLS, period, TOTALS, spans_of=one_span(period))
    return {name: count or 0 for name, count in zip(MEASURES, counts, strict=True)}


def count_calls_by_day(period: DateRange) -> dict[date, dict[str, Any]]:
    """Return each of MEASURES for every day of a closed period that has calls."""

    def span_per_day(days: DayRange) -> list[Span]:
        return [Span(*bounds_of(day, day, period.zone), day) for day in DateRange(*days, period.zone).days]

    rows = read_counts(CALLS, period, BY_DAY, spans_of=span_per_day)
    return {date.fromisoformat(str(day)): dict(zip(MEASURES, counts, strict=True)) for day, *counts in rows if day}

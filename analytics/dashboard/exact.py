"""Counts of a period, from the rollup where it covers the days and from the rows elsewhere.

The counts are exact after every write: triggers record stale hours, and stale days are counted from their rows.
"""

from collections.abc import Callable, Sequence
from typing import Any

from analytics.rollups.coverage import SNAPSHOT_VERSION, DayRange, RollupCoverage, read_coverage, snapshot_parameters
from analytics.rollups.measures import Counted, Span, count_rows, sum_of
from crm.date_ranges import DateRange
from crm.db.tenancy import reading_connection

# A try fails if the worker or a writer changes the coverage between its two statements. After the last one, all days
# are counted from their rows.
TRIES = 3

# `part` has the counts of days, or of longer spans, in the columns of `count_rows`.
COUNT = """
WITH part AS ({covered} UNION ALL {uncovered})
SELECT snapshot.version, snapshot.stale, counted.* FROM (SELECT {snapshot}) AS snapshot LEFT JOIN (
    {answer}
) AS counted ON true
"""


def one_span(period: DateRange) -> Callable[[DayRange], list[Span]]:
    """Return the spans for counts of the whole period."""
    return lambda days: [Span(*DateRange(*days, period.zone).bounds, None)]


def read_counts(
    what: Counted,
    period: DateRange,
    answer: str,
    *,
    spans_of: Callable[[DayRange], list[Span]],
    coverage: RollupCoverage | None = None,
) -> Sequence[tuple[Any, ...]]:
    """Return the rows that the SELECT `answer` makes of `part`, at least one: without any, of nulls.

    Args:
        answer: `{sums}` in it stands for the sums of all measures.
        spans_of: the spans for days that the rollup does not cover.
        coverage: one that was read before. It is read again if it has changed since.
    """
    for _ in range(TRIES):
        coverage = coverage or read_coverage(period.zone)
        rows = _read_with(coverage, what, period, answer, spans_of)
        if rows[0][:2] == coverage.snapshot:
            break
        coverage = None
    else:
        rows = _read_with(RollupCoverage(), what, period, answer, spans_of)
    return [row[2:] for row in rows]


def _read_with(
    coverage: RollupCoverage,
    what: Counted,
    period: DateRange,
    answer: str,
    spans_of: Callable[[DayRange], list[Span]],
) -> list[tuple[Any, ...]]:
    days = period.start_date, period.end_date
    covered, covered_parameters = coverage.rollup_days_sql(what, *days)
    spans = [span for day_range in coverage.uncovered_ranges(*days) for span in spans_of(day_range)]
    uncovered, uncovered_parameters = count_rows(what, spans)
    sums = ", ".join(f"{sum_of(name, 'part')} AS {name}" for name in what.measures)
    statement = COUNT.format(
        snapshot=SNAPSHOT_VERSION, covered=covered, uncovered=uncovered, answer=answer.format(sums=sums)
    )
    with reading_connection().cursor() as cursor:
        cursor.execute(statement, [*covered_parameters, *uncovered_parameters, *snapshot_parameters()])
        return cursor.fetchall()

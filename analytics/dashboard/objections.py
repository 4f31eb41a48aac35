"""Ranking of objections."""

from analytics.dashboard import percentage
from analytics.dashboard.exact import one_span, read_counts
from analytics.rollups.coverage import RollupCoverage
from analytics.rollups.measures import OBJECTIONS
from crm.date_ranges import DateRange

RANK = """
SELECT ranked.label, ranked.count, (SELECT CAST(sum(part.calls_by_first_label) AS bigint) FROM part) AS calls
FROM (
    SELECT part.label, CAST(sum(part.calls) AS bigint) AS count FROM part
    WHERE part.label <> '' GROUP BY part.label ORDER BY count DESC, part.label LIMIT {limit}
) AS ranked
"""


def top_objections(period: DateRange, *, limit: int, coverage: RollupCoverage | None = None) -> dict[str, object]:
    """Return the `limit` most frequent objections of the active tenant, in analyses made within the period.

    A call counts by its latest analysis alone, and once per label.
    """
    rows = read_counts(OBJECTIONS, period, RANK.format(limit=int(limit)), spans_of=one_span(period), coverage=coverage)
    ranked = [(label, count) for label, count, _ in rows if label is not None]
    calls = rows[0][2] or 0
    return period.as_json() | {
        "calls_with_objections": calls,
        "objections": [
            {"label": label, "count": count, "percentage": percentage(count, calls)}
            for label, count in sorted(ranked, key=lambda each: (-each[1], each[0]))
        ],
    }

"""Ranking of objections."""

from django.db import connection

from analytics.dashboard import percentage
from crm.date_ranges import DateRange
from crm.db.tenancy import current_company_id, reading_connection

# Calls of the table and counts of archived calls, in one snapshot. A call counts by its latest analysis alone, whose
# labels share one time, so calls add up over any span of time. Two index-only passes are cheaper than one pass whose
# rows are kept for a second one.
RANK = """
SELECT part.label, CAST(sum(part.calls) AS bigint) AS count, (
    SELECT CAST(sum(each.calls) AS bigint) FROM (
        SELECT count(DISTINCT call_id) AS calls FROM call_objections
        WHERE company_id = %s AND analyzed_at >= %s AND analyzed_at < %s
        UNION ALL
        SELECT calls FROM archived_objections
        WHERE company_id = %s AND quarter_hour >= %s AND quarter_hour < %s AND label = ''
    ) AS each
) AS calls
FROM (
    SELECT label, count(*) AS calls FROM call_objections
    WHERE company_id = %s AND analyzed_at >= %s AND analyzed_at < %s GROUP BY label
    UNION ALL
    SELECT label, calls FROM archived_objections
    WHERE company_id = %s AND quarter_hour >= %s AND quarter_hour < %s AND label <> ''
) AS part
GROUP BY part.label ORDER BY count DESC, part.label LIMIT %s
"""


def top_objections(period: DateRange, *, limit: int) -> dict[str, object]:
    """Return the `limit` most frequent objections of the active tenant, in analyses made within the period.

    A call counts by its latest analysis alone, and once per label.
    """
    bounds = [connection.ops.adapt_datetimefield_value(bound) for bound in period.closed_bounds]
    with reading_connection().cursor() as cursor:
        cursor.execute(RANK, [*[current_company_id(), *bounds] * 4, limit])
        ranked = cursor.fetchall()
    return period.as_json() | {
        "calls_with_objections": ranked[0][2] if ranked else 0,
        "objections": [
            {"label": label, "count": count, "percentage": percentage(count, calls)} for label, count, calls in ranked
        ],
    }

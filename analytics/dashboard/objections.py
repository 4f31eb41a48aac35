"""What callers object to most."""

from django.db import connection

from analytics.dashboard.rates import rate
from crm.date_ranges import DateRange
from crm.db.tenancy import current_company_id

# Each call that is still there, and those that went to an archive as they were counted then, in one snapshot. A call
# counts by its latest analysis alone, whose labels have all one time: so calls add up over any span of time. Two passes
# over a part of the index alone are cheaper than one whose rows are kept for a second look.
RANK = """
SELECT part.label, CAST(sum(part.calls) AS bigint) AS count, (
    SELECT CAST(sum(each.calls) AS bigint) FROM (
        SELECT count(DISTINCT call_id) AS calls FROM call_objections
        WHERE company_id = %s AND analyzed_at >= %s AND analyzed_at < %s
        UNION ALL
        SELECT calls FROM archived_objections WHERE company_id = %s AND quarter_hour >= %s AND quarter_hour < %s AND label = ''
    ) AS each
) AS calls
FROM (
    SELECT label, count(*) AS calls FROM call_objections
    WHERE company_id = %s AND analyzed_at >= %s AND analyzed_at < %s GROUP BY label
    UNION ALL
    SELECT label, calls FROM archived_objections WHERE company_id = %s AND quarter_hour >= %s AND quarter_hour < %s AND label <> ''
) AS part
GROUP BY part.label ORDER BY count DESC, part.label LIMIT %s
"""


def top_objections(period: DateRange, *, limit: int) -> dict[str, object]:
    """The `limit` commonest objections of the tenant entered, in analyses made within the period.

    A call counts by its latest analysis alone, and once per label however often that analysis names it.
    """
    bounds = [connection.ops.adapt_datetimefield_value(bound) for bound in period.closed_bounds]
    with connection.cursor() as cursor:
        cursor.execute(RANK, [*[current_company_id(), *bounds] * 4, limit])
        ranked = cursor.fetchall()
    return period.as_json() | {
        "calls_with_objections": ranked[0][2] if ranked else 0,
        "objections": [
            {"label": label, "count": count, "percentage": rate(count, calls)} for label, count, calls in ranked
        ],
    }

"""What callers object to most."""

from django.db import connection

from analytics.dashboard.period import Period, rate
from analytics.models import CallAnalysis

# A JSON list's entries as rows, one function each.
EACH_LABEL = {
    "postgresql": "jsonb_array_elements_text(CASE jsonb_typeof(a.objections) WHEN 'array' THEN a.objections END)"
    " AS entry(value)",
    "sqlite": "json_each(CASE json_type(a.objections) WHEN 'array' THEN a.objections END) AS entry",
}
# A call counts by its latest analysis alone, and once per label however often that analysis names it.
COUNT_LABELS = """
WITH labelled AS (
    SELECT DISTINCT a.call_id, lower(trim(entry.value)) AS label
    FROM ({latest}) AS a, {each_label}
    WHERE trim(entry.value) <> ''
)
SELECT label, count(*), (SELECT count(DISTINCT call_id) FROM labelled)
FROM labelled GROUP BY label ORDER BY count(*) DESC, label LIMIT %s
"""


def rank_objections(period: Period, *, limit: int) -> dict[str, object]:
    """The `limit` commonest objections of the tenant entered, in analyses made within the period."""
    latest, parameters = (
        CallAnalysis.objects.analyzed_between(*period.closed_bounds)
        .latest_of_each_call()
        .order_by()
        .values("call_id", "objections")
        .query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            COUNT_LABELS.format(latest=latest, each_label=EACH_LABEL[connection.vendor]), [*parameters, limit]
        )
        rows = cursor.fetchall()
    calls = rows[0][2] if rows else 0
    return period.as_json() | {
        "calls_with_objections": calls,
        "objections": [{"label": label, "count": count, "percentage": rate(count, calls)} for label, count, _ in rows],
    }

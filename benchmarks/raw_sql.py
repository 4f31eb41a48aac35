"""The statements that somebody would write by hand who knows the tables, and nothing but these answers is wanted."""

from datetime import date, timedelta
from typing import Any

from django.db import connection

from analytics.models import CallRollup
from analytics.rollups.measures import MEASURES
from benchmarks.sample import Sample
from calls.api.calls import CallSerializer
from calls.choices import CallStatus
from calls.models import Call
from crm.api.base.lists import columns_of
from crm.date_ranges import FIRST_DAY, LAST_DAY, bounds_of
from crm.querysets import LAST_CHARACTER

Statement = tuple[str, list[Any]]

METRICS = f"""
SELECT {", ".join(f"sum({name})" for name in MEASURES)} FROM (
    SELECT {", ".join(MEASURES)} FROM call_days WHERE company_id = %s AND day BETWEEN %s AND %s
    UNION ALL
    SELECT count(*), count(lead_id), count(*) FILTER (WHERE booked), count(lead_id) FILTER (WHERE booked),
        {", ".join(f"count(*) FILTER (WHERE status = '{status}')" for status in CallStatus.values)},
        sum(quoted_price) FILTER (WHERE status = 'lost')
    FROM calls WHERE company_id = %s AND created_at >= %s AND created_at < %s
) AS part
"""
BOOKED = """
SELECT (scheduled_start AT TIME ZONE %s)::date, count(*) FROM appointments
WHERE company_id = %s AND scheduled_start >= %s AND scheduled_start < %s
    AND status IN ('scheduled', 'confirmed', 'completed') GROUP BY 1
"""
QUALIFIED = """
SELECT day, qualified FROM call_days WHERE company_id = %s AND day BETWEEN %s AND %s
UNION ALL
SELECT (created_at AT TIME ZONE %s)::date, count(*) FROM calls
WHERE company_id = %s AND created_at >= %s AND created_at < %s AND lead_id IS NOT NULL GROUP BY 1
"""
OBJECTIONS = """
SELECT label, count(*), (
    SELECT count(DISTINCT call_id) FROM call_objections WHERE company_id = %s AND analyzed_at >= %s AND analyzed_at < %s
)
FROM call_objections WHERE company_id = %s AND analyzed_at >= %s AND analyzed_at < %s
GROUP BY label ORDER BY 2 DESC, 1 LIMIT 5
"""
THREAD = "SELECT * FROM message_threads WHERE contact_card_id = %s ORDER BY created_at, id LIMIT 101"
SEARCH = """
SELECT * FROM contacts WHERE company_id = %s AND (
    last_name_key >= lower(%s) AND last_name_key < lower(%s) OR first_name_key >= lower(%s)
    AND first_name_key < lower(%s) OR email_key >= lower(%s) AND email_key < lower(%s)
) ORDER BY created_at DESC, id DESC LIMIT 101
"""


def run(statement: Statement) -> list[tuple[Any, ...]]:
    """Its rows. The tenant has to be entered."""
    with connection.cursor() as cursor:
        cursor.execute(*statement)
        return cursor.fetchall()


def metrics(sample: Sample, start: date = FIRST_DAY, end: date = LAST_DAY) -> Statement:
    """Of the days that are counted ahead, and of the calls of those that are not."""
    company = sample.company.pk
    return METRICS, [company, start, end, company, *_uncounted(sample, start, end)]


def booking_rate(sample: Sample, start: date, end: date) -> Statement:
    company, zone = sample.company.pk, sample.company.timezone
    booked = [zone, company, *_bounds(sample, start, end)]
    return f"({BOOKED}) UNION ALL ({QUALIFIED})", [
        *booked, company, start, end, zone, company, *_uncounted(sample, start, end),
    ]  # fmt: skip


def calls(sample: Sample, place: dict[str, Any] | None = None) -> Statement:
    """The page behind `place`, or the first."""
    columns = ", ".join(_columns())
    behind = "AND (created_at, id) < (%s, %s)" if place else ""
    return (
        f"SELECT {columns} FROM calls WHERE company_id = %s {behind} ORDER BY created_at DESC, id DESC LIMIT 101",
        [sample.company.pk, *([place["created_at"], place["id"]] if place else [])],
    )


def objections(sample: Sample, start: date, end: date) -> Statement:
    return OBJECTIONS, [sample.company.pk, *_bounds(sample, start, end)] * 2


def thread(sample: Sample) -> Statement:
    return THREAD, [sample.contact]


def search(sample: Sample) -> Statement:
    """By the beginning of a name."""
    name = sample.customer.last_name[:4]
    return SEARCH, [sample.company.pk, *[name, name + LAST_CHARACTER] * 3]


def _columns() -> list[str]:
    fields = {field.name: field for field in Call._meta.concrete_fields}
    return [str(fields[column.source].column) for column in columns_of(CallSerializer)]


def _uncounted(sample: Sample, start: date, end: date) -> tuple[Any, Any]:
    """From where on the calls of these days are not counted ahead."""
    last = CallRollup.objects.values_list("rolled_up_until", flat=True).first()
    return _bounds(sample, max(start, last + timedelta(days=1)) if last else start, end)


def _bounds(sample: Sample, start: date, end: date) -> tuple[Any, Any]:
    return bounds_of(start, end, sample.company.zone)

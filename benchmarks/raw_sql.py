"""Hand-written SQL for the endpoints: the minimum cost of their answers."""

from datetime import date, timedelta
from typing import Any

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
BOOKING_RATE = """
(SELECT (scheduled_start AT TIME ZONE %s)::date, count(*) FROM appointments
WHERE company_id = %s AND scheduled_start >= %s AND scheduled_start < %s
    AND status IN ('scheduled', 'confirmed', 'completed') GROUP BY 1)
UNION ALL
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
CALLS = "SELECT {} FROM calls WHERE company_id = %s {} ORDER BY created_at DESC, id DESC LIMIT 101"
THREAD = "SELECT * FROM message_threads WHERE contact_card_id = %s ORDER BY created_at, id LIMIT 101"
SEARCH = """
SELECT * FROM contacts WHERE company_id = %s AND (
    last_name_key >= lower(%s) AND last_name_key < lower(%s) OR first_name_key >= lower(%s)
    AND first_name_key < lower(%s) OR email_key >= lower(%s) AND email_key < lower(%s)
) ORDER BY created_at DESC, id DESC LIMIT 101
"""


def metrics(sample: Sample, start: date = FIRST_DAY, end: date = LAST_DAY) -> Statement:
    company = sample.company.pk
    return METRICS, [company, start, end, company, *_not_rolled_up(sample, start, end)]


def booking_rate(sample: Sample, start: date, end: date) -> Statement:
    company, zone = sample.company.pk, sample.company.timezone
    booked = [zone, company, *bounds_of(start, end, sample.company.zone)]
    return BOOKING_RATE, [*booked, company, start, end, zone, company, *_not_rolled_up(sample, start, end)]


def calls(sample: Sample, after: dict[str, Any] | None = None) -> Statement:
    """Return the statement of the first page, or of the page after a row."""
    fields = {field.name: field for field in Call._meta.concrete_fields}
    columns = ", ".join(str(fields[column.source].column) for column in columns_of(CallSerializer))
    if after is None:
        return CALLS.format(columns, ""), [sample.company.pk]
    condition = "AND (created_at, id) < (%s, %s)"
    return CALLS.format(columns, condition), [sample.company.pk, after["created_at"], after["id"]]


def objections(sample: Sample, start: date, end: date) -> Statement:
    return OBJECTIONS, [sample.company.pk, *bounds_of(start, end, sample.company.zone)] * 2


def thread(sample: Sample) -> Statement:
    return THREAD, [sample.contact.pk]


def search(sample: Sample) -> Statement:
    """Return the statement that searches by the beginning of a name."""
    name = sample.contact.last_name[:4]
    return SEARCH, [sample.company.pk, *[name, name + LAST_CHARACTER] * 3]


def _not_rolled_up(sample: Sample, start: date, end: date) -> tuple[Any, Any]:
    """Return the bounds of the days whose calls aren't in the daily totals."""
    last = CallRollup.objects.values_list("rolled_up_until", flat=True).first()
    return bounds_of(max(start, last + timedelta(days=1)) if last else start, end, sample.company.zone)

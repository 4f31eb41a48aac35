"""Hand-written SQL for the endpoints: the minimum cost of their answers."""

from datetime import date, timedelta
from typing import Any

from analytics.models import CallRollup
from analytics.rollups.measures import MEASURES, OBJECTIONS
from benchmarks.samples import Sample
from calls.api.calls import CallSerializer
from calls.models import Call
from crm.api.base.lists import columns_of
from crm.contact_querysets import LAST_CHARACTER
from crm.date_ranges import bounds_of
from crm.search_keys import simplify

METRICS = f"""
SELECT {", ".join(f"sum({name})" for name in MEASURES)} FROM (
    SELECT {", ".join(MEASURES)} FROM call_days WHERE company_id = %(company)s AND day BETWEEN %(start)s AND %(end)s
    UNION ALL
    SELECT {", ".join(MEASURES.values())} FROM calls AS item
    WHERE company_id = %(company)s AND created_at >= %(since_rollup)s AND created_at < %(until)s
) AS part
"""
BOOKING_RATE = """
SELECT (scheduled_start AT TIME ZONE %(zone)s)::date, count(*) FROM appointments
WHERE company_id = %(company)s AND scheduled_start >= %(since)s AND scheduled_start < %(until)s
    AND status IN ('scheduled', 'confirmed', 'completed') GROUP BY 1
UNION ALL
SELECT day, qualified FROM call_days WHERE company_id = %(company)s AND day BETWEEN %(start)s AND %(end)s
UNION ALL
SELECT (created_at AT TIME ZONE %(zone)s)::date, count(*) FROM calls
WHERE company_id = %(company)s AND created_at >= %(since_rollup)s AND created_at < %(until)s AND lead_id IS NOT NULL
GROUP BY 1
"""
TOP_OBJECTIONS = f"""
WITH part AS (
    SELECT label, {", ".join(OBJECTIONS.measures)} FROM objection_days
    WHERE company_id = %(company)s AND day BETWEEN %(start)s AND %(end)s
    UNION ALL
    SELECT label, {", ".join(OBJECTIONS.measures.values())} FROM call_objections AS item
    WHERE company_id = %(company)s AND analyzed_at >= %(since_rollup)s AND analyzed_at < %(until)s GROUP BY label
)
SELECT label, sum(calls), (SELECT sum(calls_by_first_label) FROM part) FROM part GROUP BY label
ORDER BY 2 DESC, 1 LIMIT 5
"""
_FIELDS = {field.name: str(field.column) for field in Call._meta.concrete_fields}
CALLS, DEEP_CALLS = (
    f"""
SELECT call.*, contacts.first_name, contacts.last_name, contacts.phone, flags.types, users.first_name,
    users.last_name, users.username, phone_lines.name, phone_lines.number
FROM (
    SELECT {", ".join(_FIELDS[column.source] for column in columns_of(CallSerializer))} FROM calls
    WHERE company_id = %(company)s {condition} ORDER BY created_at DESC, id DESC LIMIT 101
) AS call
LEFT JOIN contacts ON contacts.id = call.contact_card_id
LEFT JOIN LATERAL (
    SELECT array_agg(flag_type) AS types FROM contact_flags
    WHERE contact_id = contacts.id AND (expires_at IS NULL OR expires_at > now())
) AS flags ON true
LEFT JOIN users ON users.id = call.assigned_rep_id
LEFT JOIN phone_lines ON phone_lines.id = call.phone_line_id
ORDER BY call.created_at DESC, call.id DESC
"""
    for condition in ("", "AND (created_at, id) < (%(created_at)s, %(id)s)")
)
THREAD = "SELECT * FROM message_threads WHERE contact_card_id = %(contact)s ORDER BY created_at, id LIMIT 101"
SEARCH = """
SELECT * FROM contacts WHERE company_id = %(company)s AND id IN (
    SELECT contact_id FROM contact_search_keys
    WHERE company_id = %(company)s AND key >= %(name)s AND key < %(after_name)s
) ORDER BY created_at DESC, id DESC LIMIT 101
"""


def parameters_of(sample: Sample, start: date, end: date, after: dict[str, Any]) -> dict[str, Any]:
    """Return the statements' parameters for these days, and for the page of calls after a row."""
    zone, name = sample.company.zone, simplify(sample.contact.last_name[:4])
    since, until = bounds_of(start, end, zone)
    last = CallRollup.objects.values_list("rolled_up_until", flat=True).first()
    since_rollup, _ = bounds_of(max(start, last + timedelta(days=1)) if last else start, None, zone)
    return after | {
        "company": sample.company.pk, "zone": zone.key, "contact": sample.contact.pk,
        "start": start, "end": end, "since": since, "until": until, "since_rollup": since_rollup,
        "name": name, "after_name": name + LAST_CHARACTER,
    }  # fmt: skip

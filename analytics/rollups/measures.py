"""Counting calls: the one definition of each figure, for what is counted ahead and for what is counted when asked."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from calls.choices import CallStatus
from crm.db.tenancy import current_company_id

# By the column of `call_days` that keeps it.
MEASURES = {
    "total": "count(*)",
    "qualified": "count(*) FILTER (WHERE call.lead_id IS NOT NULL)",
    "booked": "count(*) FILTER (WHERE call.booked)",
    "qualified_booked": "count(*) FILTER (WHERE call.lead_id IS NOT NULL AND call.booked)",
    **{status: f"count(*) FILTER (WHERE call.status = '{status}')" for status in CallStatus.values},
    "lost_value": f"coalesce(sum(call.quoted_price) FILTER (WHERE call.status = '{CallStatus.LOST}'), 0)",
}

# Spans as rows. Each is looked up in the index by company and time, however the planner judges the table: whose
# statistics end yesterday takes today for empty, and any index for good.
_SPANS = {
    "postgresql": "unnest(%s::timestamptz[], %s::timestamptz[], %s::date[]) AS span(since, until, day)",
    "sqlite": "(SELECT json_extract(value, '$[0]') AS since, json_extract(value, '$[1]') AS until,"
    " json_extract(value, '$[2]') AS day FROM json_each(%s)) AS span",
}
_SLOTS = {
    "postgresql": "date_bin('15 minutes', {0}, '2000-01-01 00:00Z')",
    # Of the text, since SQLite's own functions round to milliseconds, and so over midnight.
    "sqlite": "substr({0}, 1, 14) || substr('00153045', CAST(substr({0}, 15, 2) AS integer) / 15 * 2 + 1, 2) || ':00'",
}
_NO_BOUNDS = {"postgresql": ("-infinity", "infinity"), "sqlite": ("", "~")}  # texts that every time lies between


class Span(NamedTuple):
    """Calls that began at or after `since` and before `until`; None leaves a side open. They count for `day`."""

    since: datetime | None
    until: datetime | None
    day: date | None


def count_calls(spans: Sequence[Span]) -> tuple[str, list[Any]]:
    """A statement, and its parameters, that counts the calls of the tenant entered: a row for each day that has any.

    Its columns are `day` and MEASURES, in that order. Calls that went to an archive are counted as they were then.
    """
    measures = ", ".join(f"{counted} AS {name}" for name, counted in MEASURES.items())
    sums = ", ".join(f"{sum_of(name, 'part')} AS {name}" for name in MEASURES)
    span = _SPANS[connection.vendor]
    statement = f"""
        SELECT part.day, {sums} FROM (
            SELECT span.day, {measures} FROM {span} CROSS JOIN calls AS call
            WHERE call.company_id = %s AND call.created_at >= span.since AND call.created_at < span.until
            GROUP BY span.day
            UNION ALL
            SELECT span.day, {", ".join(MEASURES)} FROM {span} CROSS JOIN archived_calls AS archived
            WHERE archived.company_id = %s AND archived.quarter_hour >= span.since AND archived.quarter_hour < span.until
        ) AS part GROUP BY part.day
    """  # noqa: S608  # constants
    return statement, [*_as_parameters(spans), current_company_id()] * 2


def sum_of(measure: str, rows: str) -> str:
    """PostgreSQL adds up whole numbers to a decimal one."""
    return f"CAST(sum({rows}.{measure}) AS {'numeric' if measure == 'lost_value' else 'bigint'})"


def quarter_hour_of(column: str) -> str:
    """The quarter of an hour that a time is in. In UTC, and days in any zone begin with one."""
    return _SLOTS[connection.vendor].format(column)


def _as_parameters(spans: Sequence[Span]) -> list[Any]:
    first, last = _NO_BOUNDS[connection.vendor]
    rows = [
        (_text(span.since) or first, _text(span.until) or last, span.day.isoformat() if span.day else None)
        for span in spans
    ]
    if connection.vendor == "sqlite":
        return [json.dumps(rows)]
    return [[row[column] for row in rows] for column in range(3)]


def _text(instant: datetime | None) -> str:
    return str(connection.ops.adapt_datetimefield_value(instant)) if instant else ""

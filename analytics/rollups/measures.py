"""Measures of the dashboard: SQL that counts rows, for the rollup and for days that it does not cover.

CONTRIBUTING.md has the recipe for a new one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection

from analytics.models.stale_hour_triggers import LEAD_INPUTS, MEASURE_INPUTS
from calls.choices import CallStatus
from crm.choices import LeadStatus
from crm.db.tenancy import current_company_id

_CALL = {name: expression.format(row="item.") for name, expression in MEASURE_INPUTS.items()}
_LEAD = {name: expression.format(row="item.") for name, expression in LEAD_INPUTS.items()}

# SQL by the column of CallCounts that keeps the measure.
MEASURES = {
    "total": "count(*)",
    "qualified": f"count(*) FILTER (WHERE {_CALL['qualified']})",
    "booked": f"count(*) FILTER (WHERE {_CALL['booked']})",
    "qualified_booked": f"count(*) FILTER (WHERE {_CALL['qualified']} AND {_CALL['booked']})",
    **{status: f"count(*) FILTER (WHERE {_CALL['status']} = '{status}')" for status in CallStatus.values},
    "lost_value": f"coalesce(sum({_CALL['lost_value']}), 0)",
}


@dataclass(frozen=True)
class Counted:
    """A table with rows to count by the day on which they were created."""

    table: str
    days: str
    """The table with the counts of each day."""
    measures: dict[str, str]
    """SQL by column."""
    keys: dict[str, str] = field(default_factory=dict)
    """Further columns by which rows are grouped, with their SQL."""
    time: str = "created_at"
    """The column by whose day rows are counted."""
    archive: str = ""
    """The table with the counts of archived rows, or a subquery with its alias."""

    @property
    def columns(self) -> str:
        return ", ".join([*self.keys, *self.measures])


CALLS = Counted("calls", "call_days", MEASURES, archive="archived_calls")
LEADS = Counted(
    "leads",
    "lead_days",
    {
        "leads": "count(*)",
        "booked": f"count(*) FILTER (WHERE {_LEAD['status']} IN ('{LeadStatus.BOOKED}', '{LeadStatus.WON}'))",
        "won": f"count(*) FILTER (WHERE {_LEAD['status']} = '{LeadStatus.WON}')",
        "lost": f"count(*) FILTER (WHERE {_LEAD['status']} = '{LeadStatus.LOST}')",
        "won_value": f"coalesce(sum({_LEAD['won_value']}), 0)",
    },
    keys={"source": _LEAD["source"], "assignee_id": f"coalesce({_LEAD['assignee_id']}, 0)"},
)

OBJECTIONS = Counted(
    "call_objections",
    "objection_days",
    {
        "calls": "count(*)",
        # All labels of a call share one time, so each call is counted once in any span.
        "calls_by_first_label": "count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM call_objections AS other"
        " WHERE other.call_id = item.call_id AND other.label < item.label))",
    },
    keys={"label": "item.label"},
    time="analyzed_at",
    # There, the empty label has the number of calls with any.
    archive="(SELECT company_id, quarter_hour, label, CASE label WHEN '' THEN 0 ELSE calls END AS calls,"
    " CASE label WHEN '' THEN calls ELSE 0 END AS calls_by_first_label FROM archived_objections) AS archived",
)

# Spans as rows. The index by company and time serves each, even with outdated statistics. If those end yesterday, the
# planner expects no rows of today, and might choose any index.
_SPANS = {
    "postgresql": "unnest(%s::timestamptz[], %s::timestamptz[], %s::date[]) AS span(since, until, day)",
    "sqlite": "(SELECT json_extract(value, '$[0]') AS since, json_extract(value, '$[1]') AS until,"
    " json_extract(value, '$[2]') AS day FROM json_each(%s)) AS span",
}
_OF_TABLE = """
SELECT span.day, {columns} FROM {span} CROSS JOIN {table} AS item
WHERE item.company_id = %s AND item.{time} >= span.since AND item.{time} < span.until
GROUP BY {keys}
"""
_OF_ARCHIVE = """
SELECT span.day, {columns} FROM {span} CROSS JOIN {archive}
WHERE company_id = %s AND quarter_hour >= span.since AND quarter_hour < span.until
"""
_SUMS = "SELECT {keys}, {sums} FROM ({parts}) AS part GROUP BY {keys}"
_QUARTER_HOURS = {
    "postgresql": "date_bin('15 minutes', {0}, '2000-01-01 00:00Z')",
    # Taken from the text, since SQLite's date functions round to milliseconds and so past midnight.
    "sqlite": "substr({0}, 1, 14) || substr('00153045', CAST(substr({0}, 15, 2) AS integer) / 15 * 2 + 1, 2) || ':00'",
}
_NO_BOUNDS = {"postgresql": ("-infinity", "infinity"), "sqlite": ("", "~")}  # on SQLite every time sorts between these


class Span(NamedTuple):
    """Rows created at or after `since` and before `until`, counted for `day`. None leaves a side open."""

    since: datetime | None
    until: datetime | None
    day: date | None


def count_rows(what: Counted, spans: Sequence[Span]) -> tuple[str, list[Any]]:
    """Return a statement, with its parameters, that counts the active tenant's rows: a row for each day with some.

    Its columns are `day` and `what.columns`, in that order. It includes the counts of archived rows.
    """
    span = _SPANS[connection.vendor]
    columns = ", ".join(f"{sql} AS {name}" for name, sql in (what.keys | what.measures).items())
    parts = [
        _OF_TABLE.format(
            columns=columns,
            span=span,
            table=what.table,
            time=what.time,
            keys=", ".join(["span.day", *what.keys.values()]),
        )
    ]
    if what.archive:
        parts.append(_OF_ARCHIVE.format(columns=what.columns, span=span, archive=what.archive))
    statement = _SUMS.format(
        keys=", ".join(f"part.{name}" for name in ("day", *what.keys)),
        sums=", ".join(f"{sum_of(name, 'part')} AS {name}" for name in what.measures),
        parts=" UNION ALL ".join(parts),
    )
    return statement, [*_as_parameters(spans), current_company_id()] * len(parts)


def sum_of(measure: str, rows: str) -> str:
    """Return SQL that sums a measure. PostgreSQL sums integers to a decimal, hence the cast."""
    return f"CAST(sum({rows}.{measure}) AS {'numeric' if measure.endswith('_value') else 'bigint'})"


def quarter_hour_of(column: str) -> str:
    """Return SQL for the start of the quarter of an hour, in UTC. Days of every time zone begin with a quarter."""
    return _QUARTER_HOURS[connection.vendor].format(column)


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

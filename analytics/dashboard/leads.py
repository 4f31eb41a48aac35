"""Conversion of leads: how many of those that were created in a period are won, by source and by assignee."""

from collections.abc import Sequence
from typing import Any

from analytics.dashboard import percentage
from analytics.dashboard.exact import one_span, read_counts
from analytics.rollups.measures import LEADS
from crm.date_ranges import DateRange
from crm.models import User
from crm.names import name_of_user

MAX_SOURCES = 50

# The kinds of groups, in one pass over the same counts.
GROUPS = """
    SELECT 'all' AS kind, '' AS source, 0 AS assignee_id, {sums} FROM part
    UNION ALL SELECT 'source', part.source, 0, {sums} FROM part GROUP BY part.source
    UNION ALL SELECT 'assignee', '', part.assignee_id, {sums} FROM part GROUP BY part.assignee_id
"""


def lead_conversion(period: DateRange) -> dict[str, object]:
    """Return the conversion of the active tenant's leads, as of now.

    Beyond MAX_SOURCES, those with the fewest leads are counted together.
    """
    sources: list[dict[str, Any]] = []
    assignees: list[dict[str, Any]] = []
    total = _counts_of([])
    for kind, source, assignee, *sums in read_counts(LEADS, period, GROUPS, spans_of=one_span(period)):
        counts = _counts_of(sums)
        match kind:
            case "all":
                total = counts
            case "source":
                sources.append({"source": source} | counts)
            case "assignee":
                assignees.append({"assignee": assignee or None} | counts)
    sources.sort(key=lambda each: (-each["leads"], each["source"]))
    assignees.sort(key=lambda each: (-each["leads"], each["assignee"] or 0))
    others = sources[MAX_SOURCES:]
    return (
        period.as_json()
        | _with_rate(total)
        | {
            "by_source": [_with_rate(each) for each in sources[:MAX_SOURCES]],
            "other_sources": _with_rate(_sum_of(others)) if others else None,
            "by_assignee": _named([_with_rate(each) for each in assignees]),
        }
    )


def _counts_of(sums: Sequence[Any]) -> dict[str, Any]:
    return {name: count or 0 for name, count in zip(LEADS.measures, sums or [0] * len(LEADS.measures), strict=True)}


def _sum_of(groups: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {name: sum(each[name] for each in groups) for name in LEADS.measures}


def _with_rate(counts: dict[str, Any]) -> dict[str, Any]:
    return counts | {
        "won_value": f"{counts['won_value']:.2f}",
        "conversion_rate": percentage(counts["won"], counts["leads"]),
    }


def _named(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the names of the assignees; users who have left keep theirs."""
    users = User.objects.filter(pk__in=[each["assignee"] for each in groups if each["assignee"]])
    names = {pk: name_of_user(*names) for pk, *names in users.values_list("pk", "first_name", "last_name", "username")}
    return [each | {"assignee_name": names.get(each["assignee"])} for each in groups]

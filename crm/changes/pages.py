"""Pages of changes, read so that none is lost when transactions commit in another order than they began.

A page ends before the oldest transaction that still runs: that may yet commit changes with a lower position than those
of a later transaction. See docs/decisions/0021-changes-up-to-the-oldest-running-transaction.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils.timezone import now

from crm.changes.cursors import Position
from crm.models import Change


class Row(NamedTuple):
    """A recorded change."""

    xid: int
    id: int
    resource: str
    object_id: int
    contact_id: int | None
    rep_id: int | None
    change: str
    at: datetime


POSTGRESQL = "SELECT * FROM changes_after(%s, %s, %s, %s)"  # of crm.db.request_functions
SQLITE_END = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)"


class Page(NamedTuple):
    """Changes of one company, in order. `end` is the position of the next page."""

    rows: list[Row]
    end: Position
    is_last: bool
    history: str
    at: datetime
    """All changes after `end` were committed after this time."""


def read_pages(positions: Mapping[int, Position], *, limit: int) -> dict[int, Page]:
    """Return the page after the position, for each company, in one statement.

    Args:
        limit: rows on a page; 0 asks for the present end.
    """
    if connection.vendor != "postgresql":
        return {company: _read_sqlite_page(company, position, limit) for company, position in positions.items()}
    parameters: list[Any] = [
        [*positions],
        [each.xid for each in positions.values()],
        [each.id for each in positions.values()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL, [*parameters, limit])
        return pages_of(cursor.fetchall(), limit=limit)


def pages_of(found: Iterable[Sequence[Any]], *, limit: int) -> dict[int, Page]:
    """Return the pages by company, from the rows of `changes_after`."""
    rows: dict[int, list[Row]] = {}
    ends: dict[int, tuple[Position, str, datetime]] = {}
    for company, xid, history, at, *row in found:
        if company not in ends:
            rows[company], ends[company] = [], (Position(xid), history, at)
        if row[0] is not None:
            rows[company].append(Row(*row))
    return {company: _page(rows[company], *end, limit) for company, end in ends.items()}


def _page(rows: list[Row], end: Position, history: str, at: datetime, limit: int) -> Page:
    if limit and len(rows) == limit:
        return Page(rows, Position(rows[-1].xid, rows[-1].id), False, history, rows[-1].at)
    return Page(rows, end, True, history, at)


def _read_sqlite_page(company: int, position: Position, limit: int) -> Page:
    at = now()
    with connection.cursor() as cursor:
        cursor.execute(SQLITE_END)  # before the rows, of which there may be more
        end = Position(0, cursor.fetchone()[0])
    changes = Change.objects.filter(company=company, pk__gt=position.id).order_by("pk")
    rows = [Row(*values) for values in changes.values_list(*Row._fields)[:limit]]
    if rows:
        end = max(end, Position(0, rows[-1].id))
    return _page(rows, end, "", at, limit)

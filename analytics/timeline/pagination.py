"""Keyset pagination of a timeline: the first rows of each source, merged."""

from datetime import datetime
from typing import Any

from analytics.timeline.sources import SOURCES, TimelineEntry
from crm.api.base.filters import MAX_ID
from crm.api.base.pagination import decode_cursor, encode_cursor, invalid_cursor
from crm.api.base.prepared_pages import PreparedOrder
from crm.models import User

Position = tuple[datetime, str, int]  # time, source and key of an entry


class Timeline:
    """The entries of a contact that a user may see, in a total order, latest first, with the interface of `Order`.

    A page of n entries reads at most n rows of each source, each through its own index, at any depth.
    """

    def __init__(self, contact_id: int, *, user: User) -> None:
        self.contact_id, self.user = contact_id, user

    def page(self, size: int, *, after: Position | None = None, backwards: bool = False) -> list[TimelineEntry]:
        """Return the entries after a position or, backwards, those before it in reverse order."""
        entries = []
        for source in SOURCES:
            order = PreparedOrder(
                source.model, (f"-{source.time}", "-id"), source.read, source.rows_for,
                name=source, user=self.user, values={"contact": self.contact_id},
            )  # fmt: skip
            page = order.page(size, after=_position_in(source.name, after), backwards=backwards)
            entries += [source.entry_of(row) for row in page]
        entries.sort(key=lambda entry: (entry.at, entry.source, entry.key), reverse=not backwards)
        return entries[:size]

    def write(self, entry: TimelineEntry, *, backwards: bool) -> str:
        return encode_cursor([backwards, entry.at.isoformat(), entry.source, entry.key])

    def read(self, cursor: str) -> tuple[bool, Position]:
        """Parse a cursor. Raises ValidationError, under the key `cursor`, unless `write` made it."""
        try:
            backwards, at, name, key = decode_cursor(cursor)
            if name not in {source.name for source in SOURCES}:
                raise ValueError(cursor)
        except (ValueError, TypeError) as error:
            raise invalid_cursor() from error
        return backwards, (at, name, key)


def _position_in(source: str, position: Position | None) -> list[Any] | None:
    """Return the position within one source: at the same time, all its rows are before or after another source's."""
    if position is None:
        return None
    at, name, key = position
    if source != name:
        key = 0 if source > name else MAX_ID
    return [at, key]

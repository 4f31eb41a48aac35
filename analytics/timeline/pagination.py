"""Pages of a timeline: the first rows of each source, merged."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from analytics.timeline.sources import SOURCES, Entry, entry_of
from crm.api.base.filters import MAX_ID
from crm.api.base.pagination import Order, decode_cursor, encode_cursor, invalid_cursor
from crm.models import Contact

Place = tuple[datetime, str, int]  # an entry's time, source and key


class Timeline:
    """The entries of a contact in a total order, the latest first, and the places in it. Asked like an `Order`.

    A page of n takes at most n rows of each source, each sought in its own index, however far down the page is.
    """

    def __init__(self, contact: Contact) -> None:
        self.contact = contact

    def page(self, size: int, *, after: Place | None = None, backwards: bool = False) -> list[Entry]:
        """The entries behind the place `after`, or, backwards, those before it in reverse."""
        entries = []
        for source in SOURCES:
            order = Order(source.rows(self.contact), (f"-{source.time}", "-id"))
            rows = order.page(size, after=_place_in(source.name, after), backwards=backwards)
            entries += [entry_of(row, source) for row in rows]
        entries.sort(key=lambda entry: (entry.at, entry.source, entry.key), reverse=not backwards)
        return entries[:size]

    def write(self, entry: Entry, *, backwards: bool) -> str:
        return encode_cursor([backwards, entry.at.isoformat(), entry.source, entry.key])

    def read(self, cursor: str) -> tuple[bool, Place]:
        """Raises ValidationError, naming `cursor`, for one that this list did not give out."""
        try:
            backwards, time, name, key = decode_cursor(cursor)
            at = parse_datetime(time)
            if type(backwards) is not bool or type(key) is not int or not 0 < key <= MAX_ID:
                raise ValueError(cursor)
            if at is None or at.tzinfo is None or name not in {source.name for source in SOURCES}:
                raise ValueError(cursor)
        except (ValueError, TypeError) as error:
            raise invalid_cursor() from error
        return backwards, (at, name, key)


def _place_in(source: str, place: Place | None) -> list[Any] | None:
    """Where a source's rows go on: at the same instant, all of a source are on one side of all of another."""
    if place is None:
        return None
    at, name, key = place
    if source != name:
        key = 0 if source > name else MAX_ID
    return [at, key]

"""Series: appointments that recur by a rule, at the same local time, booked and changed as a whole."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, pairwise
from typing import Any, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import transaction

from calls.choices import COMING
from calls.models import Appointment, Call
from calls.services.booking import SlotTaken, book_appointment, change_appointment
from crm.error_codes import ErrorCode
from crm.models import Company, Contact, User
from crm.recurrence import InvalidRule, build_rule, read_parts
from crm.refusals import Refusal

MAX_LENGTH = 60  # appointments
MAX_TIME = timedelta(days=366)
DAY_ALONE = len("20261231")
PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST", "UNTIL", "COUNT")


class Conflict(NamedTuple):
    """An appointment of a series for which the rep isn't free. `other` is None if it was deleted in the meantime."""

    scheduled_start: datetime
    other: Appointment | None


class SeriesTaken(Refusal):
    """The rep has other appointments at some times of the series. None of it was booked or changed."""

    code = ErrorCode.SERIES_TAKEN

    def __init__(self, conflicts: list[Conflict]) -> None:
        self.conflicts = conflicts
        times = "1 time" if len(conflicts) == 1 else f"{len(conflicts)} times"
        super().__init__(f"The rep has another appointment at {times} of the series. Nothing was changed.")


class NotInSeries(Refusal):
    """The appointment is not one of a series."""

    code = ErrorCode.NOT_IN_SERIES


def starts_of(*, rule: str, start: datetime, length: timedelta, zone: ZoneInfo) -> list[datetime]:
    """Return the starts of the appointments of a rule, the first of which is `start`, at the same local time.

    A local time that the clock skips is that much later on that day.

    Raises:
        InvalidRule: the rule can't be read, has no end or too late a one, or its appointments overlap each other.
    """
    parts = read_parts(rule, allowed=PARTS)
    if ("COUNT" in parts) == ("UNTIL" in parts):
        raise InvalidRule("The rule needs an end, COUNT or UNTIL, such as FREQ=WEEKLY;COUNT=10.")
    count = parts.pop("COUNT", None)
    if count is not None and not re.fullmatch("[1-9][0-9]{0,2}", count):
        raise InvalidRule(f"COUNT must be a number from 1 to {MAX_LENGTH}.")
    if len(parts.get("UNTIL", "")) == DAY_ALONE:
        parts["UNTIL"] += "T235959"
    first = start.astimezone(zone).replace(tzinfo=None, microsecond=0)
    end = first + MAX_TIME
    found = list(islice(build_rule(parts, start=first, end=end), MAX_LENGTH + 1))
    if not found or found[0] != first:
        raise InvalidRule("scheduled_start must be on a day of the rule.")
    number = int(count or len(found))
    if number > min(len(found), MAX_LENGTH) or parts.get("UNTIL", "") > f"{end:%Y%m%dT%H%M%S}":
        raise InvalidRule(f"A series has at most {MAX_LENGTH} appointments, within {MAX_TIME.days} days.")
    found = found[:number]
    starts = [start, *(at_local(each, zone) for each in found[1:])]
    if any(later - earlier < length for earlier, later in pairwise(starts)):
        raise InvalidRule("The appointments of the series would overlap each other.")
    return starts


def at_local(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time: of one that comes twice the first, of a skipped one the time after it."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def book_series(
    *,
    company: Company,
    contact: Contact,
    scheduled_start: datetime,
    scheduled_end: datetime,
    recurrence: str,
    call: Call | None = None,
    user: User | None = None,
    **fields: Any,
) -> list[Appointment]:
    """Book all appointments of a rule, or none. The first one is from the call.

    Raises:
        InvalidRule: see `starts_of`.
        SeriesTaken: the rep has other appointments then, and `allow_overlap` is not given.
    """
    length = scheduled_end - scheduled_start
    starts = starts_of(rule=recurrence, start=scheduled_start, length=length, zone=company.zone)
    series = uuid4()

    def book(start: datetime) -> Appointment:
        return book_appointment(
            company=company, contact=contact, call=call if start == scheduled_start else None, user=user,
            scheduled_start=start, scheduled_end=start + length, series=series, **fields,
        )  # fmt: skip

    return _all_or_none((start, partial(book, start)) for start in starts)


def change_series(*, appointment: Appointment, user: User | None = None, **changes: Any) -> list[Appointment]:
    """Change an appointment and all later ones of its series that are to come, or none of them.

    A new time moves each by the same days and local time, and gives each the same length.

    Raises:
        NotInSeries: the appointment isn't one of a series.
        SeriesTaken: the rep has other appointments then, and `allow_overlap` is not given.
    """
    if appointment.series is None:
        raise NotInSeries
    start = changes.pop("scheduled_start", appointment.scheduled_start)
    end = changes.pop("scheduled_end", start + (appointment.scheduled_end - appointment.scheduled_start))
    zone = ZoneInfo(appointment.timezone)
    shift = _local(start, zone) - _local(appointment.scheduled_start, zone)
    is_moved = (start, end) != (appointment.scheduled_start, appointment.scheduled_end)

    def change(row: Appointment, new_start: datetime) -> Appointment:
        times = {"scheduled_start": new_start, "scheduled_end": new_start + (end - start)} if is_moved else {}
        return change_appointment(appointment=row, user=user, **changes, **times)

    with transaction.atomic():
        later = Appointment.objects.of_series(appointment.series).filter(
            scheduled_start__gte=appointment.scheduled_start, status__in=COMING
        )
        rows = list(later.select_for_update(of=("self",), no_key=True).order_by("scheduled_start", "id"))
        moves = [(row, start if row == appointment else at_local(_local(row.scheduled_start, zone) + shift, zone))
                 for row in rows]  # fmt: skip
        # The last one makes room for the one before it, so that no appointment meets one that is still to be moved.
        ordered = reversed(moves) if start > appointment.scheduled_start else moves
        changed = _all_or_none(((new, partial(change, row, new)) for row, new in ordered), series=appointment.series)
        return sorted(changed, key=lambda row: (row.scheduled_start, row.pk))


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _all_or_none(
    writes: Iterable[tuple[datetime, Callable[[], Appointment]]], *, series: Any = None
) -> list[Appointment]:
    """Run all writes in one transaction. Raises SeriesTaken with every conflict, after all of them."""
    done, conflicts = [], []
    with transaction.atomic():
        for start, write in writes:
            try:
                done.append(write())
            except SlotTaken as taken:
                conflicts.append(Conflict(start, taken.other))
        if conflicts:
            # One of the series itself is only in the way because it couldn't be moved.
            others = [each for each in conflicts if not (series and each.other and each.other.series == series)]
            raise SeriesTaken(sorted(others or conflicts, key=lambda each: each.scheduled_start))
    return done

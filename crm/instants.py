"""Times from outside: one parser and one range for the API, cursors, webhook events, providers' lists and commands."""

from collections.abc import Callable
from datetime import UTC, datetime, time, tzinfo

from crm.date_ranges import FIRST_DAY, LAST_DAY

# Beyond Python's first and last year a conversion to another time zone fails, and zero times such as 0001-01-01 are
# common. The tables with times from outside have the same range as a CHECK: see `crm.constraints.in_range`.
FIRST_INSTANT, LAST_INSTANT = (datetime.combine(day, time.min, UTC) for day in (FIRST_DAY, LAST_DAY))
AN_INSTANT = "a time with its offset from UTC, such as 2026-03-02T16:00:00Z or 2026-03-02T09:00:00-07:00"


class InvalidInstant(ValueError):
    """The text isn't a time, or the time is out of range. The message follows the name of a field."""


def parse_instant(
    text: str, *, default_zone: tzinfo | None = None, read: Callable[[str], datetime] = datetime.fromisoformat
) -> datetime:
    """Return a time in UTC.

    Args:
        default_zone: the zone of a time without an offset, if its sender documents one. Else the offset is required:
            guessing it would be wrong by hours, and nobody would notice.
        read: the reader of another format than ISO 8601.

    Raises:
        InvalidInstant: the text isn't such a time, or isn't within the range.
    """
    form = "a time such as 2026-03-30T18:00:00.000Z" if default_zone else AN_INSTANT
    try:
        moment = read(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=default_zone)
        is_in_range = moment.tzinfo is not None and FIRST_INSTANT <= moment <= LAST_INSTANT
    except (ValueError, OverflowError, TypeError, IndexError) as error:
        raise InvalidInstant(f"must be {form}") from error
    if moment.tzinfo is None:
        raise InvalidInstant(f"must be {form}")
    if not is_in_range:
        raise InvalidInstant(f"must be a time from {FIRST_DAY} to {LAST_DAY}")
    return moment.astimezone(UTC)

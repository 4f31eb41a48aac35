"""Field readers for webhook events and answers, one per type of value. They raise FieldError for any other value."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from crm.instants import FIRST_INSTANT, InvalidInstant, parse_instant
from crm.phones import MAX_LENGTH, InvalidPhone, normalize_phone
from messaging.choices import MessageStatus
from messaging.providers.errors import FieldError
from messaging.providers.payloads import REPLACEMENT

T = TypeVar("T")

# Sizes of the columns.
MAX_ID, MAX_FILE_URL, MAX_CODE = 100, 500, 20
MAX_SECONDS = 2**31 - 1
SMALLEST_NUMBER = 1_000_000  # seven digits
MAX_NUMBERS = 100  # of a message or contact: several times what providers allow

# Statuses in the APIs of OpenPhone and Twilio. `queued` and `sending` at the provider are `sent` here: here they mean
# that the provider doesn't have the message yet.
MESSAGE_STATUSES = {
    "received": MessageStatus.RECEIVED,
    "receiving": MessageStatus.RECEIVED,
    "accepted": MessageStatus.SENT,
    "scheduled": MessageStatus.SENT,
    "queued": MessageStatus.SENT,
    "sending": MessageStatus.SENT,
    "sent": MessageStatus.SENT,
    "partially_delivered": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.UNDELIVERED,
    "failed": MessageStatus.FAILED,
    "canceled": MessageStatus.FAILED,
}


def sent_status(value: object) -> MessageStatus:
    """Return the status of an outgoing message that the provider has. An unknown value means `sent`."""
    status = MESSAGE_STATUSES.get(value.lower() if isinstance(value, str) else "", MessageStatus.SENT)
    # A documented answer calls an outgoing message "received": by the provider.
    return MessageStatus.SENT if status == MessageStatus.RECEIVED else status


def first_readable(read: Callable[[dict[str, Any], str], T], *places: tuple[dict[str, Any], str]) -> T | None:
    """Return the first value that `read` finds in these places; one that can't be read counts as missing."""
    for source, field in places:
        with suppress(FieldError):
            if value := read(source, field):
                return value
    return None


def text(source: dict[str, Any], field: str) -> str:
    """Return a string; "" if it is missing or null."""
    value = source.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(field, "must be a string")
    return value


def texts(source: dict[str, Any], field: str) -> tuple[str, ...]:
    """Return a list of strings without the empty ones. A single string is a list of one."""
    value = source.get(field)
    if value is None:
        return ()
    sent = [value] if isinstance(value, str) else value
    if not isinstance(sent, list) or not all(isinstance(item, str) for item in sent):
        raise FieldError(field, "must be a list of strings")
    return tuple(item.strip() for item in sent if item.strip())


def words(source: dict[str, Any], field: str) -> str:
    """Return the text of a message. A relay that has parsed a form sends the values of each field as a list."""
    return "\n".join(texts(source, field)) if isinstance(source.get(field), list) else text(source, field)


def code(source: dict[str, Any], field: str) -> str:
    """Return a code, such as an error's, which may be sent as a number; "" if it is missing."""
    value = source.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:MAX_CODE]
    return text(source, field).strip()[:MAX_CODE]


def boolean(source: dict[str, Any], field: str) -> bool | None:
    """Return a boolean, which may be sent as a word; None if it is missing."""
    value = source.get(field)
    known = {"true": True, "false": False, "": None}
    answer = known.get(value.strip().lower(), value) if isinstance(value, str) else value
    if answer is not None and not isinstance(answer, bool):
        raise FieldError(field, "must be true or false")
    return answer


def identifier(source: dict[str, Any], field: str) -> str:
    """Return a provider's id. Raises FieldError if it can't be stored unchanged: a changed id could match another."""
    value = text(source, field).strip()
    if not value:
        raise FieldError(field, "missing")
    if len(value) > MAX_ID:
        raise FieldError(field, f"longer than {MAX_ID} characters")
    if REPLACEMENT in value or not value.isprintable():
        raise FieldError(field, "must have printable characters only")
    return value


def read_time(text: str) -> datetime:
    """Return a time in ISO 8601, or as Ruby writes it: `2026-03-30 18:00:00 UTC`, `2026-03-30 11:00:00 -0700`."""
    return datetime.fromisoformat(
        re.sub(r"\s*(?:UTC|GMT|Z)$", "+00:00", re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", text.strip()))
    )


def instant(source: dict[str, Any], field: str, *, read: Callable[[str], datetime] = read_time) -> datetime | None:
    """Return a time in UTC; None if it is missing. A time without a zone is UTC. `read` reads another format.

    The zero of a computer's clock was never set. As a time, it would make a STOP older than every START.
    """
    value = text(source, field)
    if not value:
        return None
    try:
        moment = parse_instant(value, default_zone=UTC, read=read)
    except InvalidInstant as error:
        raise FieldError(field, str(error)) from error
    return None if moment == FIRST_INSTANT else moment


def seconds(source: dict[str, Any], field: str) -> int | None:
    """Return a duration in whole seconds, which may be sent as a string; None if it is missing or out of range."""
    value = source.get(field)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MAX_SECONDS)):
        value = int(value)
    offset = offset_s({field: value}, field)
    return None if offset is None else round(offset)


def offset_s(source: dict[str, Any], field: str) -> float | None:
    """Return an offset within a call in seconds; None if it is missing or invalid."""
    value = source.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
        return None
    return float(value)


def numbers(source: dict[str, Any], field: str) -> tuple[str, ...]:
    """Return phone numbers from a list or a comma-separated string: E.164, or as sent if they can't be normalized.

    A whole number of JSON that is long enough is a phone number without its plus sign.
    """
    value = source.get(field)
    if value is None:
        return ()
    sent = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    sent = [str(number) if type(number) is int and number >= SMALLEST_NUMBER else number for number in sent]
    if not all(isinstance(number, str) for number in sent):
        raise FieldError(field, "must be a phone number or a list of phone numbers")
    if len(sent) > MAX_NUMBERS:
        raise FieldError(field, f"must have at most {MAX_NUMBERS} phone numbers")
    return tuple(_number(number.strip()) for number in sent if number.strip())


def attachments(source: dict[str, Any], field: str) -> tuple[dict[str, str], ...]:
    """Return files as `{url, type}` from an object, a URL or a list. Entries without a web URL are skipped."""
    value = source.get(field)
    found = []
    for item in value if isinstance(value, list) else [value]:
        entry = {"url": item} if isinstance(item, str) else item
        if isinstance(entry, dict) and _is_web_url(entry.get("url")):
            kind = entry.get("type")
            found.append({"url": entry["url"], "type": kind if isinstance(kind, str) else ""})
    return tuple(found)


def file_url(source: dict[str, Any], field: str) -> str:
    """Return the first file URL that fits the column; "" if there is none."""
    return next((file["url"] for file in attachments(source, field) if len(file["url"]) <= MAX_FILE_URL), "")


def _number(sent: str) -> str:
    try:
        return normalize_phone(sent)
    except InvalidPhone:
        return sent[:MAX_LENGTH]


def _is_web_url(value: Any) -> bool:
    # The URL becomes a link in a browser: `javascript:` would run code.
    return isinstance(value, str) and value.startswith(("https://", "http://"))

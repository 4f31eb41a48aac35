"""Fields of a delivery. Each takes what providers were seen to send, and raises FieldError for anything else."""

from datetime import UTC, datetime
from typing import Any

from crm.phones import MAX_LENGTH, InvalidPhone, normalize_phone
from messaging.providers.events import FieldError

# As the columns have it.
MAX_ID, MAX_FILE_URL, MAX_CODE = 100, 500, 20
MAX_SECONDS = 2**31 - 1


def text(source: dict[str, Any], field: str) -> str:
    """A text; "" if it is missing or null."""
    value = source.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(field, "must be a text")
    return value


def texts(source: dict[str, Any], field: str) -> tuple[str, ...]:
    """A list of texts, without the empty ones; a single text is a list of one."""
    value = source.get(field)
    if value is None:
        return ()
    sent = [value] if isinstance(value, str) else value
    if not isinstance(sent, list) or not all(isinstance(item, str) for item in sent):
        raise FieldError(field, "must be a list of texts")
    return tuple(item.strip() for item in sent if item.strip())


def code(source: dict[str, Any], field: str) -> str:
    """A short code, which some write as a number; "" if it is missing."""
    value = source.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:MAX_CODE]
    return text(source, field).strip()[:MAX_CODE]


def boolean(source: dict[str, Any], field: str) -> bool | None:
    """True or false, also as a word; None if it is missing."""
    value = source.get(field)
    known = {"true": True, "false": False, "": None}
    answer = known.get(value.strip().lower(), value) if isinstance(value, str) else value
    if answer is not None and not isinstance(answer, bool):
        raise FieldError(field, "must be true or false")
    return answer


def identifier(source: dict[str, Any], field: str) -> str:
    """A provider's id. Raises FieldError if it is missing or too long: a cut one would be another's."""
    value = text(source, field).strip()
    if not value:
        raise FieldError(field, "missing")
    if len(value) > MAX_ID:
        raise FieldError(field, f"longer than {MAX_ID} characters")
    return value


def instant(source: dict[str, Any], field: str) -> datetime | None:
    """A time with its zone, UTC if it names none; None if it is missing."""
    value = text(source, field)
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FieldError(field, "must be a time such as 2026-03-30T18:00:00.000Z") from error


def seconds(source: dict[str, Any], field: str) -> int | None:
    """A length of time in whole seconds, also as a text; None if it is missing or none that a call could last."""
    value = source.get(field)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MAX_SECONDS)):
        value = int(value)
    moment = moment_s({field: value}, field)
    return None if moment is None else round(moment)


def moment_s(source: dict[str, Any], field: str) -> float | None:
    """A moment within a call, in seconds from its beginning; None if it is missing or none."""
    value = source.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
        return None
    return float(value)


def numbers(source: dict[str, Any], field: str) -> tuple[str, ...]:
    """Phone numbers, in order: a text, several joined by commas, or a list. E.164, or as sent where that can't be."""
    value = source.get(field)
    if value is None:
        return ()
    sent = value.split(",") if isinstance(value, str) else value
    if not isinstance(sent, list) or not all(isinstance(number, str) for number in sent):
        raise FieldError(field, "must be a number or a list of them")
    return tuple(_number(number.strip()) for number in sent if number.strip())


def attachments(source: dict[str, Any], field: str) -> tuple[dict[str, str], ...]:
    """Files: `{url, type}`, alone or in a list; some deliveries list bare URLs. What is no web address is left out."""
    value = source.get(field)
    found = []
    for item in value if isinstance(value, list) else [value]:
        entry = {"url": item} if isinstance(item, str) else item
        if isinstance(entry, dict) and _is_web_address(entry.get("url")):
            kind = entry.get("type")
            found.append({"url": entry["url"], "type": kind if isinstance(kind, str) else ""})
    return tuple(found)


def file_url(source: dict[str, Any], field: str) -> str:
    """The address of a file, alone or the first of several; "" if there is none that fits into its column."""
    return next((file["url"] for file in attachments(source, field) if len(file["url"]) <= MAX_FILE_URL), "")


def _number(sent: str) -> str:
    try:
        return normalize_phone(sent)
    except InvalidPhone:
        return sent[:MAX_LENGTH]


def _is_web_address(value: Any) -> bool:
    # It becomes a link in a browser: `javascript:` would be a program.
    return isinstance(value, str) and value.startswith(("https://", "http://"))

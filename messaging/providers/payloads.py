"""Bytes from outside made into texts that a database can hold."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from messaging.providers.events import Unreadable

FORM = "application/x-www-form-urlencoded"
MAX_DEPTH = 100
MAX_FORM_FIELDS = 1000
MAX_EVENT_ID, MAX_EVENT_TYPE = 200, 100  # as the columns have them

# PostgreSQL stores no NUL, and UTF-8 has no half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def read_json(body: bytes) -> tuple[dict[str, Any], str]:
    """The JSON object in `body`, and a remark on what was replaced in it by U+FFFD, or "".

    Raises:
        Unreadable: no JSON, no object, or nested deeper than MAX_DEPTH.
    """
    remarks = []
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remarks.append(f"invalid UTF-8 at byte {error.start}")
        text = body.decode("utf-8-sig", errors="replace")
    try:
        # Not strict: a raw control character inside a text is a nuisance, no reason to lose a customer's message.
        value = json.loads(text, strict=False)
    except RecursionError as error:
        raise Unreadable("The body is nested too deeply.") from error
    except ValueError as error:
        raise Unreadable(f"The body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise Unreadable("The body is JSON, but no object.")
    clean = storable(value)
    if clean != value:
        remarks.append("NUL or half a surrogate pair")
    return clean, f"Replaced by U+FFFD: {', '.join(remarks)}." if remarks else ""


def read_form(body: bytes) -> tuple[dict[str, Any], str]:
    """The fields of a form in `body`, the last of those with one name, and a remark as `read_json` gives it.

    Raises:
        Unreadable: more than MAX_FORM_FIELDS.
    """
    sent = dict(form_pairs(body))
    clean = storable(sent)
    return clean, "" if clean == sent else "Replaced by U+FFFD: invalid UTF-8 or NUL."


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """The names and values of a form as they stand there; invalid UTF-8 in them is half a surrogate pair for each byte.

    Raises:
        Unreadable: more than MAX_FORM_FIELDS.
    """
    try:
        return parse_qsl(
            body.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError as error:
        raise Unreadable(f"The form has more than {MAX_FORM_FIELDS} fields.") from error


def is_form(headers: Mapping[str, str]) -> bool:
    """Whether the body is a form, by its content type."""
    return find_header(headers, "content-type").split(";")[0].strip().lower() == FORM


def find_header(headers: Mapping[str, str], name: str) -> str:
    """The header with this lower-case name, however it was spelled; "" if there is none."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def plain_id(value: Any) -> str:
    """An event's id if it is one that can be stored as it is, else ""."""
    usable = isinstance(value, str) and len(value) <= MAX_EVENT_ID and value.isprintable() and REPLACEMENT not in value
    return value.strip() if usable else ""


def storable(value: Any, depth: int = 0) -> Any:
    """`value`, a tree as JSON has it, with U+FFFD in each text in place of what no database can hold.

    Raises Unreadable below MAX_DEPTH: so that what the door could read, a worker with a fuller stack can read as well.
    """
    if depth > MAX_DEPTH:
        raise Unreadable("The body is nested too deeply.")
    if isinstance(value, str):
        return _UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item, depth + 1) for key, item in value.items()}
    return value

"""Bytes from outside made into texts that a database can hold."""

import json
import re
from typing import Any

from messaging.providers.events import Unreadable

MAX_DEPTH = 100

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

"""Request bodies parsed into values that the database can store."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from messaging.providers.errors import InvalidPayload, NotHandled

T = TypeVar("T")

ROUTE = ":path"  # beside the stored headers, the path of the request; no header has such a name
FORM = "application/x-www-form-urlencoded"
MAX_DEPTH = 100
MAX_DIGITS = 100  # of a whole number
MAX_FORM_FIELDS = 1000
MAX_EVENT_ID, MAX_EVENT_TYPE = 200, 100  # sizes of the columns

# PostgreSQL can't store NUL, and UTF-8 can't encode half a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def read_json(body: bytes) -> tuple[dict[str, Any], str]:
    """Return the JSON object in `body`, and a warning about characters replaced by U+FFFD, or "".

    Raises:
        InvalidPayload: not JSON, not an object, or nested deeper than MAX_DEPTH.
    """
    text, warning = decode_json(body)
    replaced = [warning] if warning else []
    try:
        # Not strict: a raw control character in a string must not lose a customer's message.
        value = json.loads(text, strict=False, parse_int=_read_whole_number)
    except RecursionError as error:
        raise InvalidPayload("The request body is nested too deeply.") from error
    except ValueError as error:
        raise InvalidPayload(f"The request body isn't valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidPayload("The request body must be a JSON object.")
    clean = replace_unstorable(value)
    if clean != value:
        replaced.append("NUL or half a surrogate pair")
    return clean, f"Replaced by U+FFFD: {', '.join(replaced)}." if replaced else ""


def decode_json(body: bytes) -> tuple[str, str]:
    """Return the text of a body, and a warning about replaced bytes, or "".

    JSON is UTF-8, but programs of Windows also send UTF-16, which begins with a mark or has NUL in its first bytes.
    """
    encoding = json.detect_encoding(body)
    try:
        return body.decode(encoding), ""
    except UnicodeDecodeError as error:
        return body.decode(encoding, errors="replace"), f"invalid {error.encoding.upper()} at byte {error.start}"


def _read_whole_number(digits: str) -> int | str:
    """Return a whole number; as text if no column could hold it, as Python refuses to read thousands of digits."""
    return int(digits) if len(digits) <= MAX_DIGITS else digits


def read_form(body: bytes) -> tuple[dict[str, Any], str]:
    """Return the fields of a form, and a warning as `read_json` does. Of repeated fields the last one counts.

    Raises:
        InvalidPayload: more than MAX_FORM_FIELDS.
    """
    sent = dict(form_pairs(body))
    clean = replace_unstorable(sent)
    return clean, "" if clean == sent else "Replaced by U+FFFD: invalid UTF-8 or NUL."


def read_whatever(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a JSON object or a form, also if the content type says the other; {} for anything else."""
    for read in (read_form, read_json) if is_form(headers) else (read_json, read_form):
        with suppress(InvalidPayload):
            return read(body)[0]
    return {}


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a form, repeated fields included. Invalid UTF-8 bytes become surrogates.

    Raises:
        InvalidPayload: more than MAX_FORM_FIELDS.
    """
    try:
        return parse_qsl(
            body.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError as error:
        raise InvalidPayload(f"The form has more than {MAX_FORM_FIELDS} fields.") from error


def is_form(headers: Mapping[str, str]) -> bool:
    """Return whether the content type says that the body is a form."""
    return find_header(headers, "content-type").split(";")[0].strip().lower() == FORM


def find_header(headers: Mapping[str, str], name: str) -> str:
    """Return the header with this lower-case name in any case; "" if there is none."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def storable_id(value: Any) -> str:
    """Return the event id if it can be stored unchanged, else ""."""
    usable = isinstance(value, str) and len(value) <= MAX_EVENT_ID and value.isprintable() and REPLACEMENT not in value
    return value.strip() if usable else ""


def replace_unstorable(value: Any, depth: int = 0) -> Any:
    """Return a JSON value whose unstorable characters are replaced by U+FFFD.

    Raises:
        InvalidPayload: nested deeper than MAX_DEPTH. A worker with a fuller stack can then parse it, too.
    """
    if depth > MAX_DEPTH:
        raise InvalidPayload("The request body is nested too deeply.")
    if isinstance(value, str):
        return _UNSTORABLE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [replace_unstorable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {replace_unstorable(key): replace_unstorable(item, depth + 1) for key, item in value.items()}
    return value


def try_read(read: Callable[[dict[str, Any]], T], row: dict[str, Any]) -> T | InvalidPayload:
    """Return the parsed row, or the error: one bad row of a list must not hide the rows after it."""
    try:
        return read(row)
    except InvalidPayload as error:
        return error
    except NotHandled as error:
        return InvalidPayload(str(error))

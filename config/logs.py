"""Log formats that mask personal data and secrets, and name the request."""

import json
import logging
import re
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

MAX_ERROR = 300
MASKED = "***"
SHORTEST_PHONE = 10**9
NO_REQUEST = "-"
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)

_SENSITIVE = r"(?:passwords?|passwd|secrets?|tokens?|api_?key|authorization|cookie|signature)"
_ENDS_SENSITIVE = re.compile(rf"{_SENSITIVE}$", re.I)
_NAMED_SECRET = re.compile(
    rf"({_SENSITIVE}[\"']?(?:=|:[ ]?)[\"']?)(?:(?:Bearer|Basic)\s+)?[^\s\"',;&)}}\]]+"  # token=…, "token": "…"
    r"|\b(Bearer\s+|Basic\s+|whsec_)[\w.~+/=-]{8,}",
    re.I,
)
_SECRET_HINTS = (  # one of them is in each text that matches
    "passw", "secret", "token", "key", "authorization", "cookie", "signature", "bearer", "basic", "whsec",
)  # fmt: skip
_WEB_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
_QUERY_VALUE = re.compile(r"([?&][\w.\[\]-]+=)[^&\s\"']+")
_PATH_SECRET = re.compile(r"(/(?:calendar|files|set-password)/)[^\s\"'?]+")
_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?:\+|%2[Bb]|\\u002[Bb])\d[\d\s().-]{5,18}(\d\d)(?!\w)"  # +12125550100, +1 (212) 555-0100, as URLs write it too
    r"|(?<![\w.-])(?:1[\s.-]?)?\(?[2-9]\d\d\)?[\s.-]{0,2}\d{3}[\s.-]?\d\d(\d\d)(?![\w-])"  # 212-555-0100, 12125550100
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_PLAIN = (str, int, float, dict, list, tuple)


def mask(text: str) -> str:
    """Return the text with *** for phone numbers (except the last two digits), email addresses, query values, secrets.

    Each request logs a line, so the slow patterns are tried on texts alone that may match.
    """
    lowered = text.lower()
    if any(hint in lowered for hint in _SECRET_HINTS):
        text = _NAMED_SECRET.sub(lambda match: f"{match[1] or match[2]}{MASKED}", text)
    if "eyJ" in text:
        text = _WEB_TOKEN.sub(MASKED, text)
    text = _QUERY_VALUE.sub(r"\1***", text)
    text = _PATH_SECRET.sub(rf"\1{MASKED}", text)
    if "@" in text:
        text = _EMAIL.sub("***@***", text)
    return _PHONE.sub(lambda match: f"***{match[1] or match[2]}", text)


def mask_values(value: Any) -> Any:
    """Return a value for JSON with each text masked, keys too. Of other objects only the type is named."""
    match value:
        case None | bool() | float():
            return value
        case str():
            return mask(value)
        case int():
            return value if abs(value) < SHORTEST_PHONE or mask(str(value)) == str(value) else mask(str(value))
        case dict():
            return {_mask_key(str(key)): _mask_entry(str(key), entry) for key, entry in value.items()}
        case list() | tuple():
            return [mask_values(entry) for entry in value]
    return type(value).__name__


def _mask_entry(key: str, value: Any) -> Any:
    return MASKED if value and _is_sensitive(key) else mask_values(value)


_mask_key = lru_cache(1000)(mask)  # the same few names in each line


@lru_cache(1000)
def _is_sensitive(key: str) -> bool:
    return bool(_ENDS_SENSITIVE.search(key))


def first_line(error: object) -> str:
    """Return the part of an error's text that may be kept: PostgreSQL's further lines quote rows and statements."""
    return str(error).partition("\n")[0][:MAX_ERROR]


class RequestIDFilter(logging.Filter):
    """Gives each record the ID of the request that it belongs to."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = REQUEST_ID.get()
        return True


class PrivateFormatter(logging.Formatter):
    """Masks the complete line: message, arguments, exception and stack."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another formatter may have cached an unmasked traceback
        line = mask(super().format(record))
        record.exc_text = None
        return line

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the frames and each error's first line."""
        parts: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None:
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"{frames}{type(error).__qualname__}: {first_line(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nwhich led to\n".join(reversed(parts))


class JSONFormatter(PrivateFormatter):
    """Writes a record as one line of JSON, with its extra values. Masks texts before their quotes are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and (value is None or isinstance(value, _PLAIN)):
                entry.setdefault(name, value)
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            entry["stack"] = record.stack_info
        return json.dumps(mask_values(entry))

"""Log formatter that masks phone numbers, email addresses and query values."""

import logging
import re
import traceback
from typing import Any

MAX_ERROR = 300

_QUERY_VALUE = re.compile(r"([?&][\w.\[\]-]+=)[^&\s\"']+")
_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(
    r"(?:\+|%2[Bb]|\\u002[Bb])\d[\d\s().-]{5,18}(\d\d)(?!\w)"  # +12125550100, +1 (212) 555-0100, as URLs write it too
    r"|(?<![\w.-])(?:1[\s.-]?)?\(?[2-9]\d\d\)?[\s.-]{0,2}\d{3}[\s.-]?\d\d(\d\d)(?![\w-])"  # 212-555-0100, 12125550100
)


def mask(text: str) -> str:
    """Return the text with *** for phone numbers (except the last two digits), email addresses and query values."""
    text = _QUERY_VALUE.sub(r"\1***", text)
    text = _EMAIL.sub("***@***", text)
    return _PHONE.sub(lambda match: f"***{match[1] or match[2]}", text)


class PrivateFormatter(logging.Formatter):
    """Masks the complete line: message, arguments, exception and stack."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another formatter may have cached an unmasked traceback
        line = mask(super().format(record))
        record.exc_text = None
        return line

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return the frames and each error's first line; PostgreSQL's further lines quote rows and statements."""
        parts: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None:
            first_line = str(error).partition("\n")[0][:MAX_ERROR]
            frames = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"{frames}{type(error).__qualname__}: {first_line}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nwhich led to\n".join(reversed(parts))

"""Cells of exported files: values as texts that a spreadsheet can't run."""

import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.services.exports.headers import JOINED

# A spreadsheet runs a text with such a beginning as a formula. `+13035550142` and `-5` are numbers, and stay so.
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
APOSTROPHE = "'"


def as_text(value: Any, zone: ZoneInfo) -> str:
    """Return a value as people and imports read it; times with their offset, in the company's zone."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case float():
            return f"{Decimal(repr(value)):f}".removesuffix(".0")  # not 1e-05, which no import would read
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case list() if not any(isinstance(each, dict | list) for each in value):
            return JOINED.join(as_text(each, zone) for each in value)
        case dict() | list():
            return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def defuse(text: str) -> str:
    """Return the text with an apostrophe before it, if a spreadsheet would run it. An import takes it away again."""
    return APOSTROPHE + text if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def read_defused(text: str) -> str:
    """Return the text that `defuse` has got."""
    rest = text.removeprefix(APOSTROPHE)
    return rest if rest != text and FORMULA.match(rest) else text


def as_row(values: Iterable[Any], zone: ZoneInfo) -> list[str]:
    return [as_text(value, zone) for value in values]

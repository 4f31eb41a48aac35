"""The spelling of tags, of custom fields' keys and of their values, the same wherever they are written or searched."""

import math
import re
import unicodedata
from datetime import date
from typing import Any

MAX_TAG_LENGTH = 50
SEPARATOR = ","  # of tags in one text, so no tag has it
MAX_KEY_LENGTH = 50
MAX_TEXT_LENGTH = 500
MAX_OPTIONS = 90  # with an empty one they fit in a list of a page
MAX_OPTION_LENGTH = 100
MAX_NUMBER = 1e15  # beyond, a double precision number can't tell whole numbers apart
FIRST_DATE, LAST_DATE = date(1800, 1, 1), date(2200, 12, 31)  # of houses and warranties, not of calls
KEY = re.compile(rf"[a-z][a-z0-9_]{{0,{MAX_KEY_LENGTH - 1}}}")
YES, NO = ("yes", "y", "true", "1"), ("no", "n", "false", "0")

Value = str | float | date | bool


class InvalidValue(ValueError):
    """The value doesn't fit the field's type. The message is a sentence for people."""


def clean_label(text: str) -> str:
    """Return the text with single spaces, and without those around it."""
    return " ".join(text.split())


def label_key(text: str, *, max_length: int = MAX_TAG_LENGTH) -> str:
    """Return the key by which two spellings are the same: without differences of case and spaces."""
    return unicodedata.normalize("NFKC", clean_label(text)).casefold()[:max_length]


def text_key(text: str) -> str:
    """Return the key by which a custom field's text is found."""
    return label_key(text, max_length=MAX_TEXT_LENGTH)


def key_from_label(label: str) -> str:
    """Return the key that a new custom field gets from its label: `Roof age (years)` is `roof_age_years`.

    Empty if the label has no Latin letters to make one from.
    """
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().casefold()
    key = re.sub("[^a-z0-9]+", "_", plain).strip("_")
    if key[:1].isdigit():
        key = f"field_{key}"
    return key[:MAX_KEY_LENGTH].rstrip("_")


def parse_number(value: Any) -> float:
    """Return the number that a JSON number or a text such as `1250.5` stands for. Raises InvalidValue."""
    if isinstance(value, str):
        if not re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]+)?\s*", value):
            raise InvalidValue("Must be a number such as 12 or 12.5.")
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValue("Must be a number.")
    if abs(value) > MAX_NUMBER:
        raise InvalidValue("The number is too large.")
    return float(value)


def parse_date(value: Any) -> date:
    """Return the day that `YYYY-MM-DD` stands for. Raises InvalidValue."""
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = None
    if type(value) is not date:
        raise InvalidValue("Must be a day such as 2026-03-02.")
    if not FIRST_DATE <= value <= LAST_DATE:
        raise InvalidValue(f"Must be a day from {FIRST_DATE} to {LAST_DATE}.")
    return value


def parse_yes_no(value: Any) -> bool:
    """Return the answer that true or false, or a word such as `yes`, stands for. Raises InvalidValue."""
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word not in YES + NO:
        raise InvalidValue("Must be yes or no.")
    return word in YES


def parse_text(value: Any) -> str:
    """Return a text that can be stored. Raises InvalidValue."""
    if not isinstance(value, str):
        raise InvalidValue("Must be a text.")
    text = value.strip()
    if not text:
        raise InvalidValue("Must not be empty.")
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidValue(f"Must have at most {MAX_TEXT_LENGTH} characters.")
    if re.search("[\x00\ud800-\udfff]", text):
        raise InvalidValue("Must not contain null characters or lone surrogates.")
    return text


def choose_option(value: Any, options: list[str]) -> str:
    """Return the option that a text names, in any case. Raises InvalidValue."""
    wanted = text_key(parse_text(value))
    for option in options:
        if text_key(option) == wanted:
            return option
    raise InvalidValue(f"Must be one of: {', '.join(options)}.")

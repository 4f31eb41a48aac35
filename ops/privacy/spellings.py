"""Spellings of a phone number, as people and providers write it."""

import re
from collections.abc import Iterable

import phonenumbers

from crm.phones import spellings_of

MIN_NATIONAL_DIGITS = 8  # a shorter number without its country code would match dates and amounts

# Between two digits: what people write, and how JSON and URLs escape it.
_SEPARATOR = "(?:[-+().\\s\u00a0\u2010-\u2015\u202f]|\\\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}){0,4}"
# Not inside a longer number, unless the digits before it belong to an escape such as %20.
_START = r"(?:(?<![0-9])|(?<=%[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4}))(?!(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})"
_END = r"(?![0-9])"
NEVER = "(?!.)."  # matches nothing


def spellings_pattern(numbers: Iterable[str]) -> str:
    """Return a regular expression for all spellings of these numbers (E.164), for Python and both databases.

    With and without the country code, with any usual separators: +12125550100, (212) 555-0100, 0044 20 7946 0000.
    """
    one_of = "|".join(_spellings(number) for number in sorted(numbers))
    return f"{_START}\\(?(?:{one_of}){_END}" if one_of else NEVER


def compile_spellings(numbers: Iterable[str]) -> re.Pattern[str]:
    return re.compile(spellings_pattern(numbers))


def _spellings(number: str) -> str:
    code = str(phonenumbers.parse(number).country_code)
    national = {digits.removeprefix(code) for digits in spellings_of(number) if digits.startswith(code)}
    prefix = rf"(?:(?:\+|00|011|%2[Bb]|\\u002[Bb]){_SEPARATOR})?{_separated(code)}{_SEPARATOR}"
    return "|".join(
        f"(?:{prefix}){'?' if len(digits) >= MIN_NATIONAL_DIGITS else ''}(?:0{_SEPARATOR})?{_separated(digits)}"
        for digits in sorted(national)
    )


def _separated(digits: str) -> str:
    return _SEPARATOR.join(digits)

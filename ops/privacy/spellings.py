"""Spellings of a phone number or of a sender's name, as people and providers write it."""

import re
from collections.abc import Iterable

import phonenumbers

from crm.phones import MAX_LENGTH, spellings_of

MIN_NATIONAL_DIGITS = 8  # a shorter number without its country code would match dates and amounts

# Between two digits: what people write, and how JSON and URLs escape it.
_SEPARATOR = "(?:[-+().\\s\u00a0\u2010-\u2015\u202f]|\\\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}){0,4}"
# Not inside a longer number, unless the digits before it belong to an escape such as %20.
_START = r"(?:(?<![0-9])|(?<=%[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4}))(?!(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})"
_END = r"(?![0-9])"
_NAME_START = r"(?:(?<![0-9A-Za-z])|(?<=%[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4}))"
NEVER = "(?!.)."  # matches nothing


def spellings_pattern(numbers: Iterable[str]) -> str:
    """Return a regular expression for all spellings of these numbers, for Python and both databases.

    E.164 with and without the country code, with any usual separators: +12125550100, (212) 555-0100, 0044 20 7946 0000.
    A sender's name with its channel (`client:ann`) as it is, and as JSON and URLs escape it. Other senders, such as the
    short code 72975, are in no text for certain: the digits may be a postal code or a price.
    """
    e164 = "|".join(_spellings(number) for number in sorted(numbers) if is_e164(number))
    names = "|".join(_escaped(number) for number in sorted(numbers) if not is_e164(number) and ":" in number)
    parts = [f"{_START}\\(?(?:{e164}){_END}" if e164 else "", f"{_NAME_START}(?:{names})" if names else ""]
    return "|".join(filter(None, parts)) or NEVER


def is_e164(number: str) -> bool:
    """Return whether this is a number, not the name of a sender that has none."""
    return number.startswith("+")


def whole_values_pattern(numbers: Iterable[str]) -> str:
    """Return a regular expression for columns that hold one sender, or a JSON list of them: each as a whole value."""
    whole = "|".join(re.escape(number) for number in sorted(numbers) if not is_e164(number))
    return f'^(?:{whole})$|"(?:{whole})"' if whole else NEVER


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


def _escaped(name: str) -> str:
    """Return a name in which each character but letters and digits may be escaped. A longer one was cut at its end."""
    characters = [
        character
        if character.isascii() and character.isalnum()
        else f"(?:{re.escape(character)}|{_percent(character)}|\\\\u{_any_case(format(ord(character), '04x'))})"
        for character in name
    ]
    return "".join(characters) + ("" if len(name) >= MAX_LENGTH else "(?![0-9A-Za-z])")


def _percent(character: str) -> str:
    return "".join(f"%{_any_case(format(byte, '02x'))}" for byte in character.encode())


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _separated(digits: str) -> str:
    return _SEPARATOR.join(digits)

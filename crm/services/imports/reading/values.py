"""Values of cells: phone numbers, email addresses, dates, numbers and answers, as people and programs write them."""

import re
from contextlib import suppress
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from crm.choices import FieldType
from crm.contact_labels import FIRST_DATE, LAST_DATE, MAX_NUMBER, text_key
from crm.phones import InvalidPhone, digits_of, normalize_phone
from crm.services.exports.cells import read_defused
from crm.services.imports.reading.outcomes import FieldValue, InvalidValue, Reason

# Excel's errors, and what other programs write for nothing.
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
NOTHING = frozenset({"n/a", "na", "none", "null", "nan", "-", "--", "—", "unknown", "nil"})
YES = frozenset({"yes", "y", "true", "t", "1", "x", "✓"})
NO = frozenset({"no", "n", "false", "f", "0"})
LANDLINES = frozenset({"landline", "land line", "land", "fixed", "fixed line", "l"})
ACTIVE = frozenset({"", "active", "valid", "connected", "verified"})

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_FLOAT = re.compile(r"(\d{7,15})\.0+", re.ASCII)  # written by programs that take numbers for measurements
_EXTENSION = re.compile(r"(?:\b(?:ext(?:ension)?|x)\b\.?|[x#])\s*:?\s*\d{1,7}\s*$", re.IGNORECASE)
_GUARDED = re.compile(r'="(.*)"', re.DOTALL)
_AMERICAN_DATE = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:[ T].*)?", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T].*)?", re.ASCII)
_NUMBER = re.compile(r"([-+(]?)\s*\$?\s*([-+]?)(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?\s*%?\s*\)?", re.ASCII)


def clean(cell: str) -> str:
    """Return a cell's text without spaces around it, and without marks that keep spreadsheets from changing it.

    `="02134"` is how programs keep Excel from dropping a zero, and `'=A1` how they keep it from running a formula. What
    is left is a text, whatever it begins with.
    """
    text = cell.strip()
    if text and text[0] in "='#":
        if guarded := _GUARDED.fullmatch(text):
            return guarded[1].strip()
        if text in ERRORS:
            return ""
        return read_defused(text)
    return text


def is_nothing(text: str) -> bool:
    """Return whether a program wrote this for an unknown number or date. A person may have it as a name."""
    return not text or text.casefold() in NOTHING


def read_phone(text: str) -> str:
    """Return a number as E.164. Raises InvalidValue, with the reason that helps a person to mend the cell."""
    if (whole := _FLOAT.fullmatch(text)) is not None:
        text = whole[1]
    try:
        if _SCIENTIFIC.fullmatch(text):
            raise InvalidPhone
        if has_extension(text):  # without it, most numbers are read in a fiftieth of the time
            with suppress(InvalidPhone):
                return normalize_phone(_EXTENSION.sub("", text))
        return normalize_phone(text)
    except InvalidPhone:
        raise InvalidValue(*_fault_of_phone(text)) from None


def has_extension(text: str) -> bool:
    # Without one of the marks, which few numbers have, nothing is searched.
    return ("x" in text or "X" in text or "#" in text) and _EXTENSION.search(text) is not None


def _fault_of_phone(text: str) -> tuple[Reason, str]:
    shown, digits = f"“{text[:40]}”", digits_of(text)
    if _SCIENTIFIC.fullmatch(text):
        return Reason.SCIENTIFIC, (
            f"{shown} is a number that a spreadsheet rounded; its last digits are lost. "
            "Format the column as text in the original file, and export it again."
        )
    if sum(character.isalpha() for character in text) > 2:
        return Reason.LETTERS, f"{shown} has letters."
    if len(digits) < 10:
        return Reason.TOO_SHORT, f"{shown} has {len(digits)} digits. An American number has 10, with its area code."
    if len(digits) > 11:
        return (
            Reason.TOO_LONG,
            f"{shown} has {len(digits)} digits: too many for one number. Write one number in a cell.",
        )
    return Reason.NOT_A_PHONE, f"{shown} isn't a phone number."


def read_email(text: str) -> str:
    """Return an email address. Raises InvalidValue."""
    address = text.removeprefix("mailto:")
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidValue(Reason.EMAIL, f"“{text[:80]}” isn't an email address.") from None
    return address


def read_date(text: str) -> date:
    """Return the day of MM/DD/YYYY or YYYY-MM-DD, with a time or without. Raises InvalidValue."""
    if found := _AMERICAN_DATE.fullmatch(text):
        month, day, year = map(int, found.groups())
    elif found := _ISO_DATE.fullmatch(text):
        year, month, day = map(int, found.groups())
    else:
        raise InvalidValue(Reason.DATE, f"“{text[:40]}” isn't a date. Write MM/DD/YYYY or YYYY-MM-DD.")
    try:
        value = date(year, month, day)
    except ValueError:
        raise InvalidValue(Reason.DATE, f"“{text[:40]}” isn't a day of the calendar.") from None
    if not FIRST_DATE <= value <= LAST_DATE:
        raise InvalidValue(Reason.DATE, f"“{text[:40]}” isn't a day from {FIRST_DATE} to {LAST_DATE}.")
    return value


def read_number(text: str) -> float:
    """Return the number of `$1,234.50`, `(12)`, `45%` or `-3`. Raises InvalidValue."""
    found = _NUMBER.fullmatch(text)
    if (
        found is None
        or not (found[3] or found[4])
        or ((found[1] == "(") != text.endswith(")"))
        or (found[1] and found[2])
    ):
        raise InvalidValue(Reason.NUMBER, f"“{text[:40]}” isn't a number.")
    number = float((found[3] or "0").replace(",", "") + (found[4] or ""))
    if number > MAX_NUMBER:
        raise InvalidValue(Reason.NUMBER, f"“{text[:40]}” is too large.")
    return -number if found[1] in ("(", "-") or found[2] == "-" else number


def read_yes_no(text: str) -> bool:
    """Return the answer. Raises InvalidValue."""
    answer = text.casefold()
    if answer in YES:
        return True
    if answer in NO:
        return False
    raise InvalidValue(Reason.YES_NO, f"“{text[:40]}” is neither yes nor no.")


def is_refusal(text: str) -> bool:
    """Return whether a cell about not contacting somebody says so. Anything but a clear no does."""
    return not is_nothing(text) and text.casefold() not in NO


def read_choice(text: str, options: tuple[str, ...]) -> str:
    """Return the option that a text names, in any case. Raises InvalidValue."""
    wanted = text_key(text)
    for option in options:
        if text_key(option) == wanted:
            return option
    raise InvalidValue(Reason.CHOICE, f"“{text[:40]}” isn't one of: {', '.join(options)[:200]}.")


def read_text(text: str, max_length: int) -> str:
    """Return a text that fits. Raises InvalidValue."""
    if len(text) > max_length:
        raise InvalidValue(Reason.TEXT_TOO_LONG, f"It has {len(text):,} characters, and may have {max_length:,}.")
    return text


def read_field(text: str, field_type: str, options: tuple[str, ...], max_length: int) -> FieldValue:
    """Return the value of a custom field of this type. Raises InvalidValue."""
    match field_type:
        case FieldType.NUMBER:
            return read_number(text)
        case FieldType.DATE:
            return read_date(text)
        case FieldType.YES_NO:
            return read_yes_no(text)
        case FieldType.CHOICE:
            return read_choice(text, options)
    return read_text(text, max_length)

"""Normalization of phone numbers to E.164, for the API, the admin, imports, webhooks and the search."""

import re
import unicodedata

import phonenumbers

DEFAULT_REGION = "US"
ERASED_NUMBER = "erased:"  # prefix of an erased contact's number
NORTH_AMERICA = "+1"
MAX_LENGTH = 32  # room for E.164 (16) and for what providers send instead: short codes, "Anonymous"

# A sender may have a channel before its name: whatsapp:+12125550100, client:ann. A typed "Cell: 212…" has a space.
_CHANNEL = re.compile(r"^\s*([a-z][a-z0-9_.+-]*)\s*:", re.IGNORECASE)
_CHANNELS_WITH_NUMBERS = frozenset({"tel", "sms", "mms", "whatsapp", "rcs", "sip", "sips"})
_CHANNELS_WITH_NAMES = frozenset({"whatsapp", "rcs", "sip", "sips"})  # beside numbers
_USER_ID = re.compile(r"^\s*[A-Z]{2}\.\w+\s*$")  # WhatsApp's, of a person who hides the number: US.13491208655302
_INTERNATIONAL_PREFIX = re.compile(r"^(?:00|011)(?=[1-9])")
# An American number as most are written. The general way gives the same, and takes fifty times as long.
_AMERICAN = re.compile(r"\s*(?:\+?1[ .-]?)?\(?([2-9]\d\d)\)?[ .-]{0,2}(\d{3})[ .-]?(\d{4})\s*", re.ASCII)
# Before they are called from abroad, some numbers of these countries lose or gain digits. Providers report both forms.
_NATIONAL_FORMS = (
    (re.compile(r"^\+52(?:044|045|01|1)(\d{10})$"), r"+52\1"),  # Mexico: mobile prefixes that ended in 2019
    (re.compile(r"^\+54(?!9)(\d{10})$"), r"+549\1"),  # Argentina: a mobile's 9, which many networks leave out
    (re.compile(r"^\+55([1-9]\d)([6-9]\d{7})$"), r"+55\g<1>9\2"),  # Brazil: mobile numbers of before 2016
)
# The digits in which providers also write a number: the reverse of the above, and American numbers without a 1.
_OTHER_DIGITS = (
    (re.compile(r"^52(\d{10})$"), r"521\1"),
    (re.compile(r"^549(\d{10})$"), r"54\1"),
    (re.compile(r"^55(\d\d)9(\d{8})$"), r"55\1\2"),
    (re.compile(r"^1(\d{10})$"), r"\1"),
)
# Numbers that providers send for withheld callers: words such as ANONYMOUS, typed on a phone's keys.
_WITHHELD = frozenset({"266696687", "7378742833", "2562533", "8656696", "86282452253", "7748283", "7748243"})
_ONE_DIGIT = re.compile(r"(\d)\1{5,}")


class InvalidPhone(ValueError):
    """The text isn't a phone number that could be called."""


def normalize_phone(text: str) -> str:
    """Return the number as E.164: `(212) 555-0100` → `+12125550100`. Without a country code it is American.

    Accepts any *possible* number. The send policy checks for a *valid* one (a real area code), because a contact with a
    mistyped number is still worth keeping. An extension is dropped: messages and caller ids have none. A number that
    isn't American and has its country code without `+` must be valid.

    Raises:
        InvalidPhone: for example a short code, letters, too few digits, the number of a withheld caller, or a name
            with digits, such as client:12125550100.
    """
    if american := _AMERICAN.fullmatch(text):
        digits = "".join(american.groups())
        if digits not in _WITHHELD and not _ONE_DIGIT.fullmatch(digits):
            return f"+1{digits}"
    return _normalize_any(text)


def _normalize_any(text: str) -> str:
    spelling = _without_channel(text)
    if spelling and not is_withheld(spelling):
        # As written; after an international prefix; with a country code that lacks its plus sign.
        digits = phonenumbers.normalize_digits_only(spelling)
        is_bare = not any(character.isalpha() for character in spelling)
        if number := _parse(spelling):
            return number
        if (
            is_bare
            and _INTERNATIONAL_PREFIX.match(digits)
            and (number := _parse(_INTERNATIONAL_PREFIX.sub("+", digits)))
        ):
            return number
        if is_bare and (number := _parse(f"+{digits}")) and phonenumbers.is_valid_number(phonenumbers.parse(number)):
            return number
    raise InvalidPhone(f"{text!r} isn't a valid phone number.")


def is_withheld(text: str) -> bool:
    """Return whether this is a number that providers send for callers who withhold theirs."""
    digits = digits_of(text)
    return bool({digits, digits.removeprefix("1")} & _WITHHELD or _ONE_DIGIT.fullmatch(digits.removeprefix("1")))


def digits_of(text: str) -> str:
    """Return the digits of a search term, of any script, as ASCII digits."""
    return "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())


def spellings_of(phone: str) -> frozenset[str]:
    """Return the strings of digits in which a provider may have written this number, E.164."""
    digits = digits_of(phone)
    known = {digits, *(pattern.sub(form, digits) for pattern, form in _OTHER_DIGITS)}
    return frozenset(known | {f"00{spelling}" for spelling in known})


def _without_channel(text: str) -> str:
    """Return the text without its channel; "" if the rest is a name, even one with digits."""
    channel = _CHANNEL.match(text)
    if channel is None:
        return "" if _USER_ID.match(text) else text.partition("@")[0].strip()
    kind, name = channel[1].lower(), text[channel.end() :]
    if kind not in _CHANNELS_WITH_NUMBERS:
        return text.strip() if name[:1].isspace() else ""
    name = name.partition("@")[0].strip()
    if kind not in _CHANNELS_WITH_NAMES:
        return name
    name = name.partition(";")[0]
    return "" if any(character.isalpha() or character == "_" for character in name) else name


def _parse(text: str) -> str | None:
    """Return a possible number as E.164 in its one form, else None."""
    try:
        number = phonenumbers.format_number(
            phonenumbers.parse(text, DEFAULT_REGION), phonenumbers.PhoneNumberFormat.E164
        )
        for pattern, form in _NATIONAL_FORMS:
            number = pattern.sub(form, number)
        reason = phonenumbers.is_possible_number_with_reason(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
    return number if reason == phonenumbers.ValidationResult.IS_POSSIBLE else None

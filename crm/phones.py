"""Normalization of phone numbers to E.164, for the API, the admin, imports, webhooks and the search."""

import phonenumbers

DEFAULT_REGION = "US"
MAX_LENGTH = 32  # room for E.164 (16) and for what providers send instead: short codes, "Anonymous"


class InvalidPhone(ValueError):
    """The text isn't a phone number that could be called."""


def normalize_phone(text: str) -> str:
    """Return the number as E.164: `(212) 555-0100` → `+12125550100`. Without a country code it is American.

    Accepts any *possible* number. The send policy checks for a *valid* one (a real area code), because a contact with a
    mistyped number is still worth keeping. An extension is dropped: messages and caller ids have none.

    Raises:
        InvalidPhone: for example a short code, letters, or too few digits.
    """
    try:
        number = phonenumbers.parse(text, DEFAULT_REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone(f"{text!r} isn't a valid phone number.") from error
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise InvalidPhone(f"{text!r} isn't a valid phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digits_of(text: str) -> str:
    """Return the ASCII digits of a search term."""
    return "".join(character for character in text if character.isdigit() and character.isascii())

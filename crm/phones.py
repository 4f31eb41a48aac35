"""The one function that brings a phone number into E.164, for every door: API, admin, import, webhooks, search."""

import phonenumbers

DEFAULT_REGION = "US"
MAX_LENGTH = 32  # room for E.164 (16) and for what providers send instead: short codes, "Anonymous"


class InvalidPhone(ValueError):
    """The text can't be a phone number that anyone could dial."""


def normalize_phone(text: str) -> str:
    """`(212) 555-0100` → `+12125550100`. Numbers without a country code are taken for American ones.

    Takes any *possible* number. Whether it is a *valid* one (a real area code) is asked only before a text is sent:
    a contact with a mistyped number is still worth keeping. An extension is dropped: texts and caller ids have none.

    Raises:
        InvalidPhone: no phone number, e.g. a short code, letters, or too few digits.
    """
    try:
        number = phonenumbers.parse(text, DEFAULT_REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone(f"{text!r} is not a phone number.") from error
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise InvalidPhone(f"{text!r} is not a phone number that could be dialled.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digits_of(text: str) -> str:
    """The digits in a search term, whatever stands between them."""
    return "".join(character for character in text if character.isdigit() and character.isascii())

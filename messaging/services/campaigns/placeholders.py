"""Placeholders in the text of a campaign."""

from crm.models import Contact
from crm.placeholders import ParsedText, PlaceholderFault, clean_value, parse_text

# Each placeholder with the path to its value, from a contact.
PLACEHOLDERS = {
    "first_name": "first_name",
    "last_name": "last_name",
    "address": "address",
    "city": "city",
    "state": "state",
    "company_name": "company__name",
}
_KNOWN = tuple(PLACEHOLDERS)


def parse_body(body: str) -> ParsedText:
    return parse_text(body, _KNOWN)


def find_placeholder_faults(body: str) -> list[PlaceholderFault]:
    """Return unknown placeholders and stray braces, with what to do about each."""
    return list(parse_body(body).faults)


def names_in(body: str) -> set[str]:
    """Return the placeholders of a text that exist."""
    return parse_body(body).names & PLACEHOLDERS.keys()


def values_of(contact: Contact, names: set[str]) -> dict[str, str]:
    """Return the contact's value of each placeholder, "" without one."""
    values = {}
    for name in names:
        value: object = contact
        for attribute in PLACEHOLDERS[name].split("__"):
            value = getattr(value, attribute)
        values[name] = clean_value(str(value))
    return values

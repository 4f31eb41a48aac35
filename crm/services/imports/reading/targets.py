"""Targets of columns: the places in a contact to which a column's values go."""

import re
from dataclasses import dataclass

# The contact's columns, with their lengths.
CONTACT_COLUMNS = {
    "first_name": 100,
    "last_name": 100,
    "email": 254,
    "address": 200,
    "city": 100,
    "state": 50,
    "postal_code": 20,
    "timezone": 64,
}
# Each target with what a person is asked to choose.
LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "full_name": "Full name",
    "phone": "Phone",
    "other_phones": "Other phones",
    "phone_type": "Type of the phone",
    "phone_status": "Status of the phone",
    "phone_dnc": "Do-not-call mark of the phone",
    "email": "Email",
    "email_status": "Status of the email",
    "address": "Address",
    "city": "City",
    "state": "State",
    "postal_code": "ZIP",
    "timezone": "Time zone",
    "tag": "Tags",
    "do_not_contact": "Do not contact",
    "opted_out": "Opted out",
    "flag": "Flags",
    "consent": "Consent to marketing messages",
    "consent_date": "Date of the consent",
    "consent_wording": "Wording of the consent",
}
FIELD = "field"
NUMBERED = frozenset({"phone", "phone_type", "phone_status", "phone_dnc", "email", "email_status", "address"})
MAX_NUMBER = 20
MAX_PEOPLE = 2

_TARGET = re.compile(r"([a-z_]+)(?::([A-Za-z0-9_-]+))?(?:@([1-9]))?")


class InvalidTarget(ValueError):
    """The text isn't a target; the message says why."""


@dataclass(frozen=True)
class Target:
    """A place in a contact.

    Attributes:
        number: of several phones, emails or lines of the address. Their types and marks have the same number.
        person: 1 or 2 if the column is about one of two people of a row; 0 if it is about each of them.
    """

    name: str
    key: str = ""  # of a custom field
    number: int = 1
    person: int = 0

    def __str__(self) -> str:
        text = self.name
        if self.name == FIELD:
            text += f":{self.key}"
        elif self.number > 1:
            text += f":{self.number}"
        return f"{text}@{self.person}" if self.person else text

    @property
    def label(self) -> str:
        """The target in words."""
        words = LABELS.get(self.name, f"custom field {self.key}")
        if self.number > 1:
            words += f" {self.number}"
        return f"{words}, person {self.person}" if self.person else words

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Return the target of a text such as `first_name`, `phone:2`, `phone@2`, `phone_dnc:2` or `field:roof_age`.

        Raises:
            InvalidTarget: there is no such target.
        """
        found = _TARGET.fullmatch(text)
        if found is None:
            raise InvalidTarget(f"“{text}” isn't a target.")
        name, suffix, person = found[1], found[2] or "", int(found[3] or 0)
        if person > MAX_PEOPLE:
            raise InvalidTarget(f"“{text}”: a row has up to {MAX_PEOPLE} people.")
        if name == FIELD:
            if not suffix:
                raise InvalidTarget(f"“{text}”: name the custom field, as in field:roof_age.")
            return cls(name, key=suffix, person=person)
        if name not in LABELS:
            raise InvalidTarget(f"“{text}” isn't a target. Targets are: {', '.join(LABELS)}, field:KEY.")
        if not suffix:
            return cls(name, person=person)
        if name not in NUMBERED or not suffix.isdecimal() or not 1 <= int(suffix) <= MAX_NUMBER:
            raise InvalidTarget(f"“{text}”: {name} can't have the number {suffix}.")
        return cls(name, number=int(suffix), person=person)

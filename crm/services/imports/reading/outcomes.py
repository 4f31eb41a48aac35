"""Outcomes of rows: people, or the reason for which a row is rejected."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

FieldValue = str | float | date | bool


class Reason(StrEnum):
    """A reason for which a row is rejected, or a value of it is left out."""

    CELLS = "wrong_number_of_cells"
    HEADER_AGAIN = "header_again"
    NO_PHONE = "no_phone"
    SCIENTIFIC = "scientific_notation"
    TOO_SHORT = "phone_too_short"
    TOO_LONG = "phone_too_long"
    LETTERS = "phone_has_letters"
    NOT_A_PHONE = "phone_invalid"
    EMAIL = "email_invalid"
    TEXT_TOO_LONG = "text_too_long"
    DATE = "date_invalid"
    NUMBER = "number_invalid"
    YES_NO = "yes_no_invalid"
    CHOICE = "choice_invalid"
    TIMEZONE = "timezone_invalid"
    # Of values alone.
    NOT_ACTIVE = "number_not_active"
    EXTENSION = "extension_dropped"
    SAME_NUMBER = "same_number_in_row"


class InvalidValue(ValueError):
    """A cell's text isn't what its column should have."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail
        self.column = ""  # if it isn't the one that is read


@dataclass(slots=True)
class Note:
    """A value that was left out of a row that is imported."""

    reason: Reason
    field: str  # the column's name
    detail: str


@dataclass(slots=True)
class Number:
    """A number of a person, E.164."""

    phone: str
    kind: str = ""  # as the file says it: Mobile, Landline
    can_text: bool = True
    do_not_contact: bool = False


@dataclass(slots=True)
class Consent:
    """Consent to marketing messages that a row states, for the main number."""

    given_on: date | None = None
    wording: str = ""


@dataclass(slots=True)
class Person:
    """A person of a row, ready to become a contact. `numbers` has at least one; the first is the main number."""

    person: int  # 1, or 2 for the second of a row
    numbers: list[Number]
    columns: dict[str, str] = field(default_factory=dict)  # of the contact; blank ones are left out
    fields: dict[str, FieldValue] = field(default_factory=dict)  # custom fields by key
    tags: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)  # types of contact flags
    consent: Consent | None = None
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class RejectedRow:
    """A row, or a person of it, that isn't imported."""

    reason: Reason
    field: str  # the column's name; empty if the row as a whole is wrong
    detail: str
    person: int = 1

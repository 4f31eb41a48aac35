"""People of rows: a row's cells become contacts to write, or a reason for which the row is rejected."""

import re
from functools import lru_cache

from crm.choices import FlagType
from crm.services.imports.reading.column_readers import is_active, readers_of
from crm.services.imports.reading.mapping import Mapping
from crm.services.imports.reading.outcomes import InvalidValue, Note, Number, Person, Reason, RejectedRow
from crm.services.imports.reading.targets import Target
from crm.services.imports.reading.values import (
    LANDLINES,
    clean,
    has_extension,
    is_nothing,
    is_refusal,
    read_phone,
)

MAX_KIND = 50
PHONE_SEPARATORS = re.compile(r"[,;|/\n]")  # in a cell with several numbers
MISSING = (Reason.NO_PHONE, Reason.NOT_ACTIVE)

Outcomes = list[Person | RejectedRow]


def people_of(cells: list[str], mapping: Mapping) -> Outcomes:
    """Return the people of a row: one, or up to two if the mapping says so.

    A row ends in one outcome for each person that has a number. A row without any number is rejected. The mapping must
    have been validated.
    """
    return _reader(mapping).read(cells)


class _Rejected(Exception):
    """The person can't be imported."""

    def __init__(self, reason: Reason, column: str, detail: str) -> None:
        self.reason, self.column, self.detail = reason, column, detail


class RowReader:
    """A reader of rows: a mapping turned into the places of columns."""

    def __init__(self, mapping: Mapping) -> None:
        self._header = [*mapping.header]
        numbers = sorted({target.person for target in mapping.targets.values()} - {0}) or [1]
        self._people = [PersonReader(mapping, number) for number in numbers]

    def read(self, cells: list[str]) -> Outcomes:
        """Return the people of a row."""
        header = self._header
        if len(cells) != len(header):
            while len(cells) > len(header) and not cells[-1].strip():
                cells = cells[:-1]
            if len(cells) != len(header):
                return [_reject_width(cells, header)]
        if cells[0].strip() == header[0] and [cell.strip() for cell in cells] == header:
            return [RejectedRow(Reason.HEADER_AGAIN, "", "The row repeats the header.")]
        outcomes: Outcomes = []
        missing: RejectedRow | None = None
        for reader in self._people:
            try:
                outcomes.append(reader.read(cells))
            except _Rejected as error:
                rejected = RejectedRow(error.reason, error.column, error.detail, reader.number)
                if error.reason in MISSING:
                    missing = missing or rejected
                else:
                    outcomes.append(rejected)
        if not outcomes:
            return [missing or RejectedRow(Reason.NO_PHONE, "", "The row has no phone number.")]
        return _without_same_number(outcomes) if len(outcomes) > 1 else outcomes


class PersonReader:
    """A reader of one of a row's people."""

    def __init__(self, mapping: Mapping, number: int) -> None:
        self.number = number
        places = {name: place for place, name in enumerate(mapping.header)}
        own = {
            target: (places[column], column)
            for column, target in mapping.targets.items()
            if target.person in (0, number)
        }

        def mark(phone: Target, name: str) -> int | None:
            place, _ = own.get(Target(name, number=phone.number, person=phone.person), (None, ""))
            return place

        phones = sorted((target for target in own if target.name == "phone"), key=lambda target: target.number)
        self._phones = [
            (*own[phone], mark(phone, "phone_type"), mark(phone, "phone_status"), mark(phone, "phone_dnc"))
            for phone in phones
        ]
        self._other_phones = own.get(Target("other_phones", person=number)) or own.get(Target("other_phones"))
        self._readers = list(readers_of(own, mapping))

    def read(self, cells: list[str]) -> Person:
        """Return the person. Raises _Rejected."""
        notes: list[Note] = []
        numbers = self._read_numbers(cells, notes)
        person = Person(self.number, numbers, notes=notes)
        for column, read in self._readers:
            try:
                read(cells, person)
            except InvalidValue as error:
                raise _Rejected(error.reason, error.column or column, error.detail) from None
        for number in numbers:
            if number.do_not_contact:
                person.flags.add(FlagType.DO_NOT_CONTACT.value)
        return person

    def _read_numbers(self, cells: list[str], notes: list[Note]) -> list[Number]:
        """Return the person's numbers. A wrong first number rejects the person; another wrong one is left out."""
        numbers: list[Number] = []
        missing: _Rejected | None = None
        for place, column, kind, status, dnc in self._phones:
            text = clean(cells[place])
            if not text or is_nothing(text):
                continue
            if status is not None and not is_active(cells[status]):
                detail = f"The number is {clean(cells[status])[:40]}."
                notes.append(Note(Reason.NOT_ACTIVE, column, detail))
                missing = missing or _Rejected(Reason.NOT_ACTIVE, column, detail)
                continue
            try:
                phone = read_phone(text)
            except InvalidValue as error:
                if not numbers:
                    raise _Rejected(error.reason, column, error.detail) from None
                notes.append(Note(error.reason, column, error.detail))
                continue
            if has_extension(text):
                notes.append(Note(Reason.EXTENSION, column, f"The extension of “{text[:40]}” isn't kept."))
            number = Number(phone)
            if kind is not None and (word := clean(cells[kind])):
                number.kind, number.can_text = word[:MAX_KIND], word.casefold() not in LANDLINES
            if dnc is not None and is_refusal(clean(cells[dnc])):
                number.do_not_contact = True
            if all(other.phone != phone for other in numbers):
                numbers.append(number)
        if self._other_phones is not None:
            place, column = self._other_phones
            for text in filter(None, map(clean, PHONE_SEPARATORS.split(cells[place]))):
                try:
                    phone = read_phone(text)
                except InvalidValue as error:
                    notes.append(Note(error.reason, column, error.detail))
                else:
                    if all(other.phone != phone for other in numbers):
                        numbers.append(Number(phone))
        if not numbers:
            raise missing or _Rejected(Reason.NO_PHONE, self._phones[0][1] if self._phones else "", "No phone number.")
        return numbers


@lru_cache(maxsize=16)  # by identity
def _reader(mapping: Mapping) -> RowReader:
    return RowReader(mapping)


def _reject_width(cells: list[str], header: list[str]) -> RejectedRow:
    if not cells:
        return RejectedRow(Reason.CELLS, "", "The row is empty: a person in it was erased.")
    detail = f"The row has {len(cells)} cells, and the header has {len(header)}."
    if cells[0].count('"') % 2 or "\n" in "".join(cells):
        detail += " Perhaps a quotation mark isn't closed."
    return RejectedRow(Reason.CELLS, "", detail)


def _without_same_number(outcomes: Outcomes) -> Outcomes:
    """Leave out the second person if the first has their number already, and note the name."""
    first, second = outcomes
    if not isinstance(first, Person) or not isinstance(second, Person):
        return outcomes
    known = {number.phone for number in first.numbers}
    if second.numbers[0].phone not in known:
        return outcomes
    first.numbers += [number for number in second.numbers if number.phone not in known]
    first.flags |= second.flags
    name = " ".join(filter(None, (second.columns.get("first_name"), second.columns.get("last_name"))))
    first.notes.append(Note(Reason.SAME_NUMBER, "", f"{name or 'The second person'} has the same number."))
    return [first]

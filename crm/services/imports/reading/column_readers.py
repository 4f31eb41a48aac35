"""Readers of columns: each puts the value of one column into a person."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from django.utils import timezone

from crm.choices import FieldType, FlagType
from crm.contact_labels import MAX_TAG_LENGTH, MAX_TEXT_LENGTH, clean_label
from crm.services.imports.reading.mapping import CustomField, Mapping
from crm.services.imports.reading.outcomes import Consent, FieldValue, InvalidValue, Note, Person, Reason
from crm.services.imports.reading.person_names import fix_capitals, split_name
from crm.services.imports.reading.targets import CONTACT_COLUMNS, FIELD, Target
from crm.services.imports.reading.values import (
    ACTIVE,
    clean,
    is_nothing,
    is_refusal,
    read_choice,
    read_date,
    read_email,
    read_field,
    read_text,
    read_yes_no,
)

FLAGS = tuple(FlagType.values)
FIRST_CONSENT = date(1990, 1, 1)  # nobody could agree to texts before
MAX_WORDING = 2_000  # characters

Place = tuple[int, str]  # of a column, with its name
Reader = Callable[[list[str], Person], None]  # raises InvalidValue


def readers_of(targets: dict[Target, Place], mapping: Mapping) -> Iterator[tuple[str, Reader]]:
    """Yield the readers of a person's columns but the phones', each with the column's name.

    Args:
        targets: the place and name of the column of each target.
    """
    places = {target: place for target, (place, _) in targets.items()}
    for target, (place, column) in sorted(targets.items(), key=lambda item: item[0].number):
        match target.name:
            case "first_name" | "last_name":
                yield column, _name_reader(place, target.name, mapping)
            case "full_name":
                yield column, _full_name_reader(place, fixes=mapping.fixes_capitals)
            case "city" | "state" | "postal_code":
                yield column, _text_reader(place, target.name)
            case "address":
                yield column, _address_reader(place)
            case "timezone":
                yield column, _timezone_reader(place)
            case "email":
                status = places.get(Target("email_status", number=target.number, person=target.person))
                yield column, _email_reader(place, status, column)
            case "tag":
                yield column, _tag_reader(place, mapping.tag_separators)
            case "do_not_contact" | "opted_out":
                yield column, _refusal_reader(place, target.name)
            case "flag":
                yield column, _flag_reader(place)
            case "consent":
                day, wording = (
                    targets.get(Target(name, person=target.person)) for name in ("consent_date", "consent_wording")
                )
                yield column, _consent_reader(place, day, wording)
            case name if name == FIELD:
                yield column, _field_reader(place, target.key, mapping.fields[target.key])


def clean_line(cell: str) -> str:
    """Return a cell's text in one line, with single spaces."""
    return clean_label(clean(cell))


def is_active(cell: str) -> bool:
    """Return whether a number or an email address with this status is in use."""
    return cell.strip().casefold() in ACTIVE


def _name_reader(place: int, column: str, mapping: Mapping) -> Reader:
    tidy = clean if mapping.is_own_export else clean_line

    def read(cells: list[str], person: Person) -> None:
        if text := tidy(cells[place]):
            if mapping.fixes_capitals:
                text = fix_capitals(text, is_last_name=column == "last_name")
            person.columns[column] = read_text(text, CONTACT_COLUMNS[column])

    return read


def _full_name_reader(place: int, *, fixes: bool) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        if name := clean_line(cells[place]):
            first, last = split_name(fix_capitals(name) if fixes else name)
            if first:
                person.columns["first_name"] = read_text(first, CONTACT_COLUMNS["first_name"])
            if last:
                person.columns["last_name"] = read_text(last, CONTACT_COLUMNS["last_name"])

    return read


def _text_reader(place: int, column: str) -> Reader:
    length = CONTACT_COLUMNS[column]

    def read(cells: list[str], person: Person) -> None:
        if text := clean(cells[place]):
            person.columns[column] = text if len(text) <= length else read_text(text, length)

    return read


def _address_reader(place: int) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        if text := clean(cells[place]):
            before = person.columns.get("address")
            person.columns["address"] = read_text(f"{before} {text}" if before else text, CONTACT_COLUMNS["address"])

    return read


def _timezone_reader(place: int) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        if text := clean(cells[place]):
            person.columns["timezone"] = _read_timezone(text)

    return read


def _email_reader(place: int, status: int | None, column: str) -> Reader:
    """Return a reader of an address, which the person gets if there is none before."""

    def read(cells: list[str], person: Person) -> None:
        text = clean(cells[place])
        if not text or is_nothing(text) or "email" in person.columns:
            return
        if status is not None and not is_active(cells[status]):
            person.notes.append(Note(Reason.NOT_ACTIVE, column, f"The address is {clean(cells[status])[:40]}."))
        else:
            person.columns["email"] = read_email(text)

    return read


def _tag_reader(place: int, separators: str) -> Reader:
    commas = str.maketrans(dict.fromkeys(separators, ","))

    def read(cells: list[str], person: Person) -> None:
        if cell := clean(cells[place]):
            for piece in cell.translate(commas).split(","):
                if (tag := clean_label(piece)) and tag not in person.tags:
                    person.tags.append(read_text(tag, MAX_TAG_LENGTH))

    return read


def _flag_reader(place: int) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        if cell := clean(cells[place]):
            person.flags.update(read_choice(piece.strip(), FLAGS) for piece in cell.split(","))

    return read


def _refusal_reader(place: int, mark: str) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        if is_refusal(clean(cells[place])):
            person.flags.add(mark)

    return read


def _consent_reader(place: int, day: Place | None, wording: Place | None) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        text = clean(cells[place])
        if is_nothing(text) or not read_yes_no(text):
            return
        consent = Consent()
        if day is not None and not is_nothing(given_on := clean(cells[day[0]])):
            with in_column(day[1]):
                consent.given_on = _read_day_of_consent(given_on)
        if wording is not None and not is_nothing(words := clean(cells[wording[0]])):
            with in_column(wording[1]):
                consent.wording = read_text(words, MAX_WORDING)
        person.consent = consent

    return read


def _read_day_of_consent(text: str) -> date:
    """Return the day. It must be one on which people could agree to texts: a wrong one is no evidence."""
    day = read_date(text)
    if not FIRST_CONSENT <= day <= timezone.now().date() + timedelta(days=1):  # where it is tomorrow already
        raise InvalidValue(Reason.DATE, f"“{text[:40]}” can't be the day of a consent: from {FIRST_CONSENT} to today.")
    return day


@contextmanager
def in_column(name: str) -> Iterator[None]:
    """Report an invalid value as one of another column than the one that is read."""
    try:
        yield
    except InvalidValue as error:
        error.column = name
        raise


def _field_reader(place: int, key: str, spec: CustomField) -> Reader:
    def read(cells: list[str], person: Person) -> None:
        if (cell := cells[place]) and (value := _read_field(cell, spec.type, spec.options)) is not None:
            person.fields[key] = value

    return read


@lru_cache(maxsize=8192)  # facts of properties repeat
def _read_field(cell: str, field_type: str, options: tuple[str, ...]) -> FieldValue | None:
    text = clean(cell)
    if not text or (field_type not in (FieldType.TEXT, FieldType.CHOICE) and is_nothing(text)):
        return None
    return read_field(text, field_type, options, MAX_TEXT_LENGTH)


@lru_cache(maxsize=64)
def _read_timezone(text: str) -> str:
    if text not in available_timezones():
        raise InvalidValue(Reason.TIMEZONE, f"“{text[:40]}” isn't a time zone such as America/Chicago.")
    return text

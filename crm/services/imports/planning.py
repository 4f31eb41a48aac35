"""The plan of a lease: what each person of its rows does to which contact.

Rows are planned in their order, so that a person who occurs twice is one contact. Nothing is written here: the dry run
and the import differ in nothing that is decided here.
"""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BigIntegerField, F, Func
from django.db.models.lookups import Exact

from crm.choices import FlagType, RowVerdict
from crm.contact_labels import label_key
from crm.db.bulk import among
from crm.models import Contact, ContactPhone, Import, ImportRow, OptOut, PhoneLine
from crm.models.audit import hash_number
from crm.services.imports.reading.outcomes import Consent, Number, Person, RejectedRow

# Parts of one thing: what a contact has and what the file says are mixed only if they don't contradict each other.
UNITS = (("first_name", "last_name"), ("email",), ("address", "city", "state", "postal_code"), ("timezone",))
WRITTEN = tuple(name for unit in UNITS for name in unit)
OWN_NUMBER = "own_number"


@dataclass(slots=True, eq=False)
class Card:
    """A contact, as far as an import knows it. The instance of a model would take twenty times as long to make."""

    pk: int | None  # None: not written yet
    company_id: int
    phone: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    address: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    timezone: str = ""

    @property
    def searched_text(self) -> str:
        """The text of `Contact.searched_text`."""
        return "|".join((self.first_name, self.last_name, self.email))


@dataclass(slots=True, eq=False)
class Entry:
    """A person of a row, or a row without any, on its way to a verdict."""

    row: int | None  # its id; None: the second person of a row
    n: int
    person: int
    outcome: Person | RejectedRow
    verdict: RowVerdict = RowVerdict.WAITING
    plan: "Plan | None" = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str = ""
    column: str = ""
    detail: str = ""

    def reject(self, reason: str, column: str, detail: str) -> None:
        self.verdict, self.reason, self.column, self.detail = RowVerdict.REJECTED, reason, column[:200], detail

    def note(self, *sentences: str) -> None:
        self.detail = " ".join(filter(None, [self.detail, *sentences]))


@dataclass(slots=True, eq=False)
class Plan:
    """A lease's changes of one contact. They are stored with `lead`, the first of its rows."""

    contact: Card
    lead: Entry
    before: dict[str, str] = field(default_factory=dict)  # former values of columns
    numbers: dict[str, Number] = field(default_factory=dict)  # to add
    tags: dict[str, str] = field(default_factory=dict)  # names by key
    filled: dict[str, Any] = field(default_factory=dict)  # values of custom fields, where there is none
    overwritten: dict[str, Any] = field(default_factory=dict)
    flags: dict[FlagType, Entry] = field(default_factory=dict)
    consent: tuple[Entry, Consent] | None = None
    opted_out: dict[str, Entry] = field(default_factory=dict)  # by number
    is_new: bool = False

    @property
    def after(self) -> dict[str, str]:
        """New values of columns."""
        return {name: getattr(self.contact, name) for name in self.before}


class Numbers:
    """A set of numbers, E.164, of which there may be a million. It has a tenth of the size of a set of texts."""

    def __init__(self) -> None:
        self._sorted = [array("q") for _ in range(4096)]  # small, since each insertion moves what is behind it

    def add(self, phone: str) -> None:
        numbers, place = self._find(phone)
        if place == len(numbers) or numbers[place] != int(phone):
            numbers.insert(place, int(phone))

    def __contains__(self, phone: str) -> bool:
        numbers, place = self._find(phone)
        return place < len(numbers) and numbers[place] == int(phone)

    def _find(self, phone: str) -> tuple["array[int]", int]:
        numbers = self._sorted[int(phone) % len(self._sorted)]
        return numbers, bisect_left(numbers, int(phone))


@dataclass
class Claims:
    """Rows that earlier leases of a dry run would have written. An import finds them in the database."""

    contacts: set[int] = field(default_factory=set)
    numbers: Numbers = field(default_factory=Numbers)


@dataclass
class Facts:
    """Facts of the database about the numbers of a lease. The contacts are locked."""

    contacts: dict[int, Card]
    owners: dict[str, int]  # contacts by number
    own_numbers: Collection[str]
    touched: Collection[int]  # contacts of earlier leases of the same import


def read_facts(*, source: Import, people: Iterable[Person], claims: Claims) -> Facts:
    """Read the facts, and lock what the lease may change: opt-outs first, as everywhere."""
    phones = sorted({number.phone for person in people for number in person.numbers})
    hashes = list(map(hash_number, phones))
    locked = OptOut.objects.select_for_update().filter(among("number_hash", hashes)).order_by("number_hash")
    list(locked.values_list("pk"))
    own_numbers = set(PhoneLine.objects.values_list("number", flat=True))
    while True:
        numbers = _owners_of(phones)
        # A program that doesn't know contact_phones writes the contact alone.
        owners = dict(Contact.objects.filter(among("phone", phones)).values_list("phone", "pk")) | numbers
        ids = sorted(set(owners.values()))
        rows = Contact.objects.select_for_update(no_key=True).filter(among("pk", ids)).order_by("pk")
        contacts = {row[0]: Card(*row) for row in rows.values_list("pk", "company_id", "phone", *WRITTEN)}
        # A merge that the locks have waited for has given the numbers to another contact.
        if len(contacts) == len(ids) and _owners_of(phones) == numbers:
            break
    touched = claims.contacts.intersection(ids)
    if not source.dry_run and ids:
        touched.update(rows_about(source, ids).values_list("contact_id", flat=True))
    return Facts(contacts, owners, own_numbers, touched)


def rows_about(source: Import, contacts: Iterable[int]) -> Any:
    """Return the rows of an import that are about these contacts.

    They are found by their contacts: the index of the import's rows must not serve the sum. Statistics that don't know
    a new import yet say that it has few rows, and each lease would read all of them.
    """
    source_id = Func(F("source"), template="(%(expressions)s + 0)", output_field=BigIntegerField())
    return ImportRow.objects.filter(among("contact_id", contacts), Exact(source_id, source.pk))


def _owners_of(phones: Sequence[str]) -> dict[str, int]:
    """Return the contacts that have these numbers."""
    return dict(ContactPhone.objects.filter(among("phone", phones)).values_list("phone", "contact"))


class Planner:
    """The plans of one lease."""

    def __init__(self, source: Import, facts: Facts, claims: Claims) -> None:
        self.source, self.facts, self.claims = source, facts, claims
        self.overwrites = frozenset(source.options.get("overwrite", ()))
        self.tags = {label_key(tag): tag for tag in source.options.get("tags", ())}
        self.plans: list[Plan] = []
        self._by_number: dict[str, Plan] = {}
        self._by_contact: dict[int, Plan] = {}

    def add(self, entry: Entry) -> None:
        """Plan an entry, and give it its verdict, if that doesn't depend on what is written."""
        person = entry.outcome
        if isinstance(person, RejectedRow):
            entry.reject(person.reason, person.field, person.detail)
            return
        if person.notes:
            entry.note(*(f"{note.field}: {note.detail}".removeprefix(": ") for note in person.notes))
        numbers = [number for number in person.numbers if number.phone not in self.facts.own_numbers]
        if not numbers:
            entry.reject(OWN_NUMBER, "", f"{person.numbers[0].phone} is one of your own phone lines.")
            return
        main = next((number for number in numbers if number.can_text), numbers[0])
        plan = self._by_number.get(main.phone)
        owner = self.facts.contacts.get(self.facts.owners.get(main.phone, 0))
        if plan is None and owner is not None:
            plan = self._by_contact.get(owner.pk or 0)
        is_merged = True
        if plan is None and main.phone in self.claims.numbers:
            entry.verdict = RowVerdict.MERGED_IN_FILE
            return
        if plan is None:
            plan = self._begin(entry, owner, main)
            is_merged = not plan.is_new and plan.contact.pk in self.facts.touched
            entry.verdict = RowVerdict.CREATED if plan.is_new else RowVerdict.WAITING
        if is_merged:
            entry.verdict = RowVerdict.MERGED_IN_FILE
        entry.plan = plan
        self._fill_columns(plan, person, is_merged=is_merged)
        self._add_numbers(plan, numbers, entry)
        self._add_marks(plan, entry, person, main, is_merged=is_merged)

    def _begin(self, entry: Entry, owner: Card | None, main: Number) -> Plan:
        contact = owner or Card(None, self.source.company_id, main.phone)
        plan = Plan(contact=contact, lead=entry, is_new=owner is None)
        self.plans.append(plan)
        if owner is not None and owner.pk is not None:
            self._by_contact[owner.pk] = plan
        return plan

    def _fill_columns(self, plan: Plan, person: Person, *, is_merged: bool) -> None:
        """Fill blank columns. Those that may be overwritten are, but not by a second row of the same file."""
        contact, columns = plan.contact, person.columns
        if plan.is_new and not is_merged:
            for name, value in columns.items():
                setattr(contact, name, value)
            plan.before = dict.fromkeys(columns, "")
            return
        for unit in UNITS:
            contradicts = any(
                getattr(contact, name)
                and name in columns
                and getattr(contact, name).casefold() != columns[name].casefold()
                for name in unit
            )
            for name in unit:
                value, present = columns.get(name, ""), getattr(contact, name)
                may_overwrite = name in self.overwrites and not is_merged
                if value and value != present and (may_overwrite or not (present or contradicts)):
                    plan.before.setdefault(name, present)
                    setattr(contact, name, value)

    def _add_numbers(self, plan: Plan, numbers: list[Number], entry: Entry) -> None:
        for number in numbers:
            phone = number.phone
            planned = self._by_number.get(phone)
            owner = self.facts.owners.get(phone)
            if planned is plan:
                continue
            if planned is None and owner is not None and owner == plan.contact.pk:
                continue
            if planned is not None or owner is not None or phone in self.claims.numbers:
                entry.note(f"{phone} belongs to another contact.")
                continue
            plan.numbers[phone] = number
            self._by_number[phone] = plan

    def _add_marks(self, plan: Plan, entry: Entry, person: Person, main: Number, *, is_merged: bool) -> None:
        """Add tags, values, flags and consents: none is ever taken away."""
        plan.tags |= self.tags | {label_key(tag): tag for tag in person.tags}
        for key, value in person.fields.items():
            if f"field:{key}" in self.overwrites and not is_merged:
                plan.overwritten[key] = value
            else:
                plan.filled.setdefault(key, value)
        for kind in sorted(person.flags):
            if kind == FlagType.OPTED_OUT:
                plan.opted_out.setdefault(main.phone, entry)
            else:
                plan.flags.setdefault(FlagType(kind), entry)
        if plan.is_new and not any(number.can_text for number in person.numbers):
            plan.flags.setdefault(FlagType.INVALID_NUMBER, entry)
        if person.consent is not None and plan.consent is None:
            plan.consent = (entry, person.consent)

"""A person whose data is exported or erased: a contact, or only a number."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from re import Pattern

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.lookups import Regex

from calls.models import Call
from crm.db.tenancy import tenant
from crm.models import Activity, AuditEntry, Company, Contact, ContactMerge, ContactPhone, OptOut, PhoneLine
from crm.models.audit import hash_number
from crm.phones import MAX_LENGTH, InvalidPhone, normalize_phone
from crm.querysets import OptOutQuerySet
from crm.services.companies import UnknownCompany, find_company
from messaging.models import Message
from ops.privacy.spellings import compile_spellings, whole_values_pattern

NOTHING_KNOWN = "PHONE: no contact of {slug} has this number, and no other row names it."


class PersonNotFound(Exception):
    """The company does not exist, or it has nothing about the number."""


@dataclass(frozen=True)
class Person:
    """Everything that identifies a person in one company's rows."""

    company_id: int
    contact: Contact | None
    """None: calls and other rows name the number, but no contact has it."""
    contact_ids: frozenset[int]
    """The contact and deleted contacts with the same numbers, which only the audit still knows."""
    numbers: frozenset[str]
    """E.164, also earlier numbers that nobody else has now. Of a sender without a number, the text as it was sent."""
    calls: frozenset[int] = frozenset()
    """Calls from and to the numbers that have no contact."""
    messages: frozenset[int] = frozenset()
    activities: frozenset[int] = frozenset()
    provider_ids: frozenset[str] = frozenset()
    """The provider's ids of all calls and messages, archived ones included."""

    @cached_property
    def spellings(self) -> Pattern[str]:
        return compile_spellings(self.numbers)

    @cached_property
    def column_spellings(self) -> Pattern[str]:
        """Match the columns with the numbers of a call or message."""
        return re.compile(f"{self.spellings.pattern}|{whole_values_pattern(self.numbers)}")

    def opt_outs(self) -> OptOutQuerySet:
        hashes = [hash_number(number) for number in self.numbers]
        return OptOut.objects.filter(company=self.company_id, number_hash__in=hashes)


@contextmanager
def person_with_number(*, slug: str, phone: str) -> Iterator[Person]:
    """Activate the company's tenant and find the person by number. Raises PersonNotFound.

    Args:
        phone: a number in any spelling. A sender without one, as the provider has sent it: `client:ann`, 72975.
    """
    try:
        company = find_company(slug=slug)
    except UnknownCompany as error:
        raise PersonNotFound(str(error)) from error
    try:
        number = normalize_phone(phone)
    except InvalidPhone:
        number = phone.strip()[:MAX_LENGTH]  # as recorded
    if not number:
        raise PersonNotFound("PHONE must be a phone number, or a sender as the provider has sent it.")
    with tenant(company.pk):
        if PhoneLine.objects.filter(number=number).exists():
            raise PersonNotFound(f"PHONE: {number} is a phone line of {company}; give the number of a person.")
        yield find_person(company=company, number=number)


def find_person(*, company: Company, number: str) -> Person:
    """Find whom the number (E.164) belongs to in the active tenant: a contact, a deleted contact or nobody."""
    contact = Contact.objects.filter(Q(phones__phone=number) | Q(phone=number)).order_by("pk").first()
    if contact is not None:
        return person_of(contact)
    return _complete(Person(company.pk, None, frozenset(), frozenset({number})))


def person_of(contact: Contact) -> Person:
    """Return the person who is this contact of the active tenant."""
    numbers = {contact.phone, *contact.phones.values_list("phone", flat=True)}
    known = frozenset(number for number in numbers if number.startswith("+"))  # not an erased number
    return _complete(Person(contact.company_id, contact, frozenset({contact.pk}), known))


def add_provider_ids(person: Person, provider_ids: frozenset[str]) -> Person:
    """Return the person with ids of calls and messages that are no longer in the database."""
    return _add_rows(replace(person, provider_ids=person.provider_ids | provider_ids))


def _complete(person: Person) -> Person:
    """Add deleted contacts with a number of the person, and the numbers that these and the contact once had."""
    while True:
        contacts = person.contact_ids | _deleted_contacts(person.numbers) | _merged_contacts(person.contact_ids)
        numbers = person.numbers | _earlier_numbers(contacts)
        if (contacts, numbers) == (person.contact_ids, person.numbers):
            return _add_rows(person)
        person = replace(person, contact_ids=contacts, numbers=numbers)


def _deleted_contacts(numbers: frozenset[str]) -> frozenset[int]:
    named = Q(changes__phone__0__in=numbers) | Q(changes__phone__1__in=numbers)
    contacts = set(_audit_of(Contact).filter(named).values_list("row_id", flat=True))
    phones = _audit_of(ContactPhone).filter(named).values("row_id")
    for changes in _audit_of(ContactPhone).filter(row_id__in=phones).values_list("changes", flat=True):
        contacts |= set(changes.get("contact_id", [])) - {None}
    return frozenset(contacts - set(Contact.objects.filter(pk__in=contacts).values_list("pk", flat=True)))


def _merged_contacts(contact_ids: frozenset[int]) -> frozenset[int]:
    """Return the contacts that were merged into these."""
    return frozenset(ContactMerge.objects.in_force().filter(kept__in=contact_ids).values_list("gone_id", flat=True))


def _earlier_numbers(contact_ids: frozenset[int]) -> frozenset[str]:
    owned = Q(changes__contact_id__0__in=contact_ids) | Q(changes__contact_id__1__in=contact_ids)
    phones = _audit_of(ContactPhone).filter(owned).values("row_id")
    entries = _audit_of(Contact).filter(row_id__in=contact_ids) | _audit_of(ContactPhone).filter(row_id__in=phones)
    numbers = {
        number
        for changes in entries.values_list("changes", flat=True)
        for number in changes.get("phone", [])
        if number and number.startswith("+")
    }
    numbers -= set(
        ContactPhone.objects.exclude(contact__in=contact_ids).filter(phone__in=numbers).values_list("phone", flat=True)
    )
    numbers -= set(
        Contact.objects.exclude(pk__in=contact_ids).filter(phone__in=numbers).values_list("phone", flat=True)
    )
    numbers -= set(PhoneLine.objects.filter(number__in=numbers).values_list("number", flat=True))
    return frozenset(numbers)


def _audit_of(model: type[Contact | ContactPhone]) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(table_name=model._meta.db_table)


def _add_rows(person: Person) -> Person:
    """Add the rows without a contact that name a number of the person, and what hangs on them."""
    pattern = person.column_spellings.pattern
    calls = Call.objects.filter(Q(from_number__regex=pattern) | Q(to_number__regex=pattern), contact=None)
    recipients = Q(Regex(Cast(F("to_numbers"), TextField()), pattern))
    messages = Message.objects.filter(Q(from_number__regex=pattern) | recipients, contact=None)
    call_ids, message_ids = set(calls.values_list("pk", flat=True)), set(messages.values_list("pk", flat=True))
    linked = Q(call__in=call_ids) | Q(message__in=message_ids)
    own = Activity.objects.filter(Q(contact__in=person.contact_ids) | linked, openphone_id__isnull=False)
    provider_ids = person.provider_ids | {str(pk) for pk in own.values_list("openphone_id", flat=True)}
    # A voicemail's activity is known by its call's id alone.
    reported = {*provider_ids, *(f"{provider_id}:voicemail" for provider_id in provider_ids)}
    activities = Activity.objects.filter(linked | Q(openphone_id__in=reported), contact=None)
    return replace(
        person,
        calls=frozenset(call_ids),
        messages=frozenset(message_ids),
        activities=frozenset(activities.values_list("pk", flat=True)),
        provider_ids=provider_ids,
    )

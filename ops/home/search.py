"""The search box of the admin: contacts, calls, campaigns and more, of all companies, through their indexes."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from calls.models import Appointment, Call
from crm.models import Campaign, Company, Contact, ContactPhone, Conversation, Invoice, User
from crm.phones import InvalidPhone, normalize_phone
from crm.services.contact_search import case_variants, find_contacts
from messaging.models import Message
from ops.home.links import list_of, may_view

MAX_SHOWN = 10
MAX_CONTACTS = 20  # whose rows are found
MAX_SORTED = 1000
MAX_LENGTH = 200


@dataclass(frozen=True)
class Hit:
    title: str
    note: str
    url: str


@dataclass(frozen=True)
class Group:
    """Found rows of one table, and the URL of all of them."""

    title: str
    hits: Sequence[Hit]
    url: str


def find_one_contact(term: str) -> int | None:
    """Return the contact that has the number; None unless the term is a whole number of exactly one contact."""
    with suppress(InvalidPhone):
        phones = ContactPhone.objects.filter(company__in=Company.objects.all(), phone=normalize_phone(term))
        found = set(phones.values_list("contact", flat=True)[:2])
        return found.pop() if len(found) == 1 else None
    return None


def search(request: HttpRequest, term: str) -> list[Group]:
    """Return what is found in the tables that the user may see."""
    number = _id_of(term)
    sources = _by_id(number) if number else _by_text(request, term)
    return [
        Group(str(model._meta.verbose_name_plural).capitalize(), hits, list_of(model, q=term))
        for model, rows in sources
        if may_view(request, model) and (hits := [_hit(row) for row in rows[:MAX_SHOWN]])
    ]


def _id_of(term: str) -> int | None:
    """Return the ID that `#12` names. Digits alone may be a number's."""
    digits = term.removeprefix("#")
    is_id = term.startswith("#") and digits.isascii() and digits.isdecimal() and len(digits) < 19
    return int(digits) if is_id else None


def _by_id(number: int) -> Iterator[tuple[type[Model], QuerySet]]:
    for model in (Contact, Conversation, Call, Appointment, Message, Campaign, Invoice):
        related = ["contact"] if any(field.name == "contact" for field in model._meta.fields) else []
        yield model, model.objects.filter(pk=number).select_related("company", *related)


def _by_text(request: HttpRequest, term: str) -> Iterator[tuple[type[Model], Any]]:
    contacts = find_contacts(term) if may_view(request, Contact) else []
    first, companies = contacts[:MAX_CONTACTS], Company.objects.order_by()
    yield Contact, Contact.objects.filter(pk__in=contacts[:MAX_SHOWN]).select_related("company").order_by("-pk")
    conversations = Conversation.objects.filter(contact__in=first).select_related("company", "contact")
    yield Conversation, _latest(conversations, "last_activity_at")
    yield Call, _latest(_calls(first, term), "created_at")
    yield Campaign, Campaign.objects.filter(name__icontains=term).select_related("company").order_by("-pk")
    invoices = Invoice.objects.filter(company__in=companies, number__in=case_variants(term))
    yield Invoice, invoices.select_related("company", "contact")
    yield Company, Company.objects.filter(Q(name__icontains=term) | Q(slug=term.lower())).order_by("name")
    matches = Q(username__icontains=term) | Q(email__icontains=term) | Q(last_name__icontains=term)
    yield User, User.accounts.filter(matches).select_related("company").order_by("username")


def _calls(contacts: Sequence[int], term: str) -> QuerySet:
    """Return the contacts' calls, and calls of the number that have no contact."""
    calls = Call.objects.filter(contact__in=contacts)
    with suppress(InvalidPhone):
        phone = normalize_phone(term)
        unlinked = Call.objects.filter(contact__isnull=True, company__in=Company.objects.order_by())
        parts = [unlinked.filter(**{side: phone}).values("pk") for side in ("from_number", "to_number")]
        calls = Call.objects.filter(pk__in=calls.values("pk").union(*parts))
    return calls.select_related("company", "contact")


def _latest(rows: QuerySet, time: str) -> list[Any]:
    """Return the latest rows. Sorted here: with a limit, the database may walk through the index of all times."""
    return sorted(rows[:MAX_SORTED], key=lambda row: getattr(row, time), reverse=True)[:MAX_SHOWN]


def _hit(row: Any) -> Hit:
    opts = row._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    return Hit(str(row), " · ".join(str(fact) for fact in _facts(row) if fact), url)


def _facts(row: Any) -> tuple[Any, ...]:
    match row:
        case Company():
            return (row.slug, row.timezone)
        case User():
            return (row.username, row.company or "staff")
        case Contact():
            return (row.phone, row.email, row.company)
        case Campaign():
            return (row.get_status_display(), row.company)
        case Invoice():
            return (row.contact, row.get_status_display(), row.company)
        case Conversation():
            return (row.contact, row.get_status_display(), _moment(row.last_activity_at), row.company)
        case Appointment():
            return (row.contact, row.get_status_display(), _moment(row.scheduled_start), row.company)
    return (row.contact, row.get_status_display(), _moment(row.created_at), row.company)


def _moment(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"

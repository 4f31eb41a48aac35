"""Exact search over all companies, by indexed columns."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from crm.models import Company, Contact, ContactPhone
from crm.phones import InvalidPhone, normalize_phone

MAX_CONTACTS = 1000


class ExactSearch(admin.ModelAdmin):
    """Finds rows by id, by `search_text_fields` and by the contact's phone number, each exactly.

    Django's own search compares `search_fields` by UPPER() and LIKE, which no index here supports.
    """

    search_fields = ("id",)  # shows the search box
    search_text_fields: tuple[str, ...] = ()
    search_ids: tuple[str, ...] = ("pk",)
    search_contact: str = "contact"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        match = self.get_match(term)
        return (queryset.filter(match) if match else queryset.none()), False

    def get_match(self, term: str) -> Q:
        """Return the condition for a term; empty if the term can't match any searched field."""
        match = Q()
        for field in self.search_text_fields:
            match |= Q(**{f"{field}__in": case_variants(term)})
        if term.isascii() and term.isdecimal():
            for field in self.search_ids:
                match |= Q(**{field: int(term)})
        if self.search_contact and (contacts := contacts_with_number(term)):
            match |= Q(**{f"{self.search_contact}__in": contacts})
        return match


def case_variants(term: str) -> list[str]:
    """Return the case variants of a term: the index is case-sensitive."""
    return sorted({term, term.lower(), term.title()})


def contacts_with_number(text: str) -> list[int]:
    """Return ids of contacts, in any company, that have this number in any format.

    As values rather than a subquery: with another condition, `OR contact_id IN (SELECT …)` would scan the table.
    """
    try:
        number = normalize_phone(text)
    except InvalidPhone:
        return []
    main = Contact.objects.filter(phone=number).values_list("pk", flat=True)
    # The only index on other numbers begins with the company. Naming all companies gives one short lookup for each.
    others = ContactPhone.objects.filter(company__in=Company.objects.all(), phone=number).values_list(
        "contact", flat=True
    )
    return list(main.union(others)[:MAX_CONTACTS])

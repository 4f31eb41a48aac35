"""Search over all companies: equality on indexed columns, never a scan."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from crm.models import Company, Contact, ContactPhone
from crm.phones import InvalidPhone, normalize_phone

MAX_CONTACTS = 1000


class ExactSearch(admin.ModelAdmin):
    """Finds rows by their id, by texts in `search_text_fields`, and by their contact's phone number, each exactly.

    Django itself would compare columns of `search_fields` through UPPER() and LIKE, which no index of ours answers.
    """

    search_fields = ("id",)  # shows the box
    search_text_fields: tuple[str, ...] = ()
    search_ids: tuple[str, ...] = ("pk",)
    search_contact: str = "contact"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        matching = self.get_match(term)
        return (queryset.filter(matching) if matching else queryset.none()), False

    def get_match(self, term: str) -> Q:
        """The condition for one term; empty if the term can't be anything that is searched."""
        matching = Q()
        for field in self.search_text_fields:
            matching |= Q(**{f"{field}__in": spellings(term)})
        if term.isascii() and term.isdecimal():
            for field in self.search_ids:
                matching |= Q(**{field: int(term)})
        if self.search_contact and (contacts := contacts_with_number(term)):
            matching |= Q(**{f"{self.search_contact}__in": contacts})
        return matching


def spellings(term: str) -> list[str]:
    """People type `garcia` and mean `Garcia`; an index without UPPER() knows one of them."""
    return sorted({term, term.lower(), term.title()})


def contacts_with_number(text: str) -> list[int]:
    """Ids of the contacts, in any company, one of whose numbers is `text` in any spelling.

    As values, and not as a subquery: beside another condition, `OR contact_id IN (SELECT …)` would scan the table.
    """
    try:
        number = normalize_phone(text)
    except InvalidPhone:
        return []
    main = Contact.objects.filter(phone=number).values_list("pk", flat=True)
    # The only index on other numbers begins with the company: naming them all makes one short look-up for each.
    others = ContactPhone.objects.filter(company__in=Company.objects.all(), phone=number).values_list(
        "contact", flat=True
    )
    return list(main.union(others)[:MAX_CONTACTS])

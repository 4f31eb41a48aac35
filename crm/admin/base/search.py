"""Search over all companies, by indexed columns."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from crm.services.contact_search import case_variants, find_contacts


class ExactSearch(admin.ModelAdmin):
    """Finds rows of all companies by the contact's name or number, by `search_text_fields` exactly, and by ID as `#12`.

    Digits alone are never an ID where they may be a number: "0123" must not find the row 123 of somebody else.
    Django's own search compares `search_fields` by UPPER() and LIKE, which no index here supports.

    Attributes:
        search_ids: fields that `#12` is compared with.
        search_plain_ids: whether 12 alone is an ID, because a search of these rows can't mean anything else.
        search_contact: the field with the contact; empty if the rows aren't found by their contact.
    """

    search_fields = ("id",)  # shows the search box
    search_text_fields: tuple[str, ...] = ()
    search_ids: tuple[str, ...] = ("pk",)
    search_plain_ids = False
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
        digits = term.removeprefix("#")
        if digits.isascii() and digits.isdecimal() and (term.startswith("#") or self.search_plain_ids):
            for field in self.search_ids:
                match |= Q(**{field: int(digits)})
        elif self.search_contact and (contacts := find_contacts(term)):
            match |= Q(**{f"{self.search_contact}__in": contacts})
        return match

"""Admin for contacts, whose page begins with what staff must know, what happened, and what can be done."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from analytics.admin.contact_story import story_of
from crm.admin.badges import badges_of, show_badges
from crm.admin.base.columns import moment
from crm.admin.contacts import ContactAdmin
from crm.models import Contact


@admin.register(Contact)
class ContactPageAdmin(ContactAdmin):
    """The table of contacts with badges, and the page of one with its story above the form."""

    change_form_template = "admin/crm/contact/page.html"
    list_display = ("person", "phone", "email", "city", "company", moment("created_at"))

    class Media:
        css = {"all": ("analytics/contacts.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("company")

    def complete_rows(self, rows: list[Any]) -> None:
        badges = badges_of({row.pk for row in rows})
        for row in rows:
            row.shown_badges = show_badges(badges.get(row.pk, ()))

    @admin.display(description="contact")
    def person(self, contact: Any) -> SafeString:
        return format_html("{} {}", contact, contact.shown_badges)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        contact = options.get("obj")
        if contact is not None:
            context["story"] = story_of(contact, request.user)
        return super().render_change_form(request, context, *args, **options)

"""Fields of an add page that a link from a contact's page fills in."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.form_fields import is_id
from crm.models import Contact


class ContactPrefilled(admin.ModelAdmin):
    """An add page that begins with the contact of `?contact=`, and the contact's company."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        contact = request.GET.get("contact", "")
        found = Contact.objects.filter(pk=contact).first() if is_id(contact) else None
        return {"contact": found.pk, "company": found.company_id} if found else {}

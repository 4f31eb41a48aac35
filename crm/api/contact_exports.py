"""`contacts/export`, whose files an import reads again, and `contacts/{id}/vcard`."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.db import connection
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from crm.api.base.exports import Export, ExportColumn, Piece, at
from crm.api.base.views import TenantViewSet
from crm.models import Contact, ContactField, ContactPhone
from crm.services.contact_fields import fields_by_key
from crm.services.contact_labels import Labels, labels_of
from crm.services.exports.contact_copy import copy_contacts
from crm.services.exports.headers import CREATED_AT, FLAGS, HEADERS, ID, OTHER_PHONES, TAGS
from crm.services.exports.vcard import vcard_of

VCARD_TYPE = "text/vcard"
VCARD_CONTENT_TYPE = f"{VCARD_TYPE}; charset=utf-8"


class ContactExport(Export):
    """The export of contacts: by COPY on PostgreSQL."""

    @cached_property
    def fields(self) -> list[ContactField]:
        return list(fields_by_key().values())

    def columns_of(self, view: Any) -> list[ExportColumn]:
        columns = {header: at(name) for name, header in HEADERS.items()}
        names = ("First name", "Last name", "Phone")
        return [
            *(ExportColumn(header, columns.pop(header)) for header in names),
            ExportColumn(OTHER_PHONES, _other_phones),
            *(ExportColumn(header, value_of) for header, value_of in columns.items()),
            ExportColumn(TAGS, at("tags")),
            *(ExportColumn(field.label, at("fields", field.key)) for field in self.fields),
            ExportColumn(FLAGS, at("flags")),
            ExportColumn(CREATED_AT, at("created_at")),
            ExportColumn(ID, at("id")),
        ]

    def csv_pieces(self) -> Iterator[Piece]:
        if connection.vendor != "postgresql":
            return super().csv_pieces()
        return copy_contacts(
            lambda position: self.order.rows(after=position),
            company_id=self.company_id,
            fields=self.fields,
            zone=self.zone.key,
            descending=self.order.descending,
        )


def _other_phones(contact: dict[str, Any]) -> list[str]:
    return [phone for phone in contact["phones"] if phone != contact["phone"]]


class VCardViewSet(TenantViewSet):
    """A contact's vCard."""

    resource = "contacts"
    model = Contact

    @extend_schema(responses={(200, VCARD_TYPE): OpenApiTypes.STR})
    def vcard(self, request: Request, **kwargs: Any) -> HttpResponse:
        """Read the vCard of a contact: its names, numbers, email, address and tags, for a phone or a mail program."""
        contact = self.get_object()
        numbers = list(ContactPhone.objects.filter(contact=contact).order_by("created_at", "id"))
        labels = labels_of([contact.pk]).get(contact.pk, Labels())
        response = HttpResponse(vcard_of(contact, phones=numbers, tags=labels.tags), content_type=VCARD_CONTENT_TYPE)
        response["Content-Disposition"] = f'attachment; filename="contact-{contact.pk}.vcf"'
        return response

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force=True)  # there is one kind of answer

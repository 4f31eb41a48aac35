"""Search keys of contacts."""

from typing import ClassVar

from django.db import models

from crm.contact_querysets import ContactSearchKeyQuerySet
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel, company_of_reference
from crm.fields import SearchKeyField
from crm.models.contacts import Contact
from crm.search_keys import MAX_LENGTH


class ContactSearchKey(TenantModel):
    """A place in a contact's names or email address where a search may begin: see `crm.search_keys`."""

    company = company_of_reference()
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="search_keys", db_index=False)
    key = SearchKeyField(max_length=MAX_LENGTH)

    objects: ClassVar = TenantManager.from_queryset(ContactSearchKeyQuerySet)()

    class Meta:
        db_table = "contact_search_keys"
        constraints = [
            # Also the index by which a contact's keys are found.
            models.UniqueConstraint(fields=["contact", "key"], name="contact_search_keys_contact_id_key_unique"),
        ]
        indexes = [
            Index(
                fields=["company", "key"],
                include=["contact"],
                name="ix_contact_search_keys_company_id_key",
                question="Whose names or email address begin like this?",
                asked_by="GET /api/v1/contacts?search=; admin search by a contact's name",
            ),
        ]

    def __str__(self) -> str:
        return self.key

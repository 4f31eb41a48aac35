"""Static lists of contacts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel, company_of_reference
from crm.models.companies import User
from crm.models.contacts import Contact
from crm.querysets import OfContactQuerySet


class ContactList(TenantModel):
    """A list to which contacts are added one by one or by an import, unlike a segment."""

    name = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    entries_changed_at = models.DateTimeField(
        default=now, db_default=Now(), editable=False, help_text="Time when contacts were last added or removed."
    )

    audit = Audit(skips=("updated_at", "entries_changed_at"))
    feed = Feed("contact-lists")

    class Meta:
        db_table = "contact_lists"
        verbose_name = "list of contacts"
        verbose_name_plural = "lists of contacts"
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""),
                name="contact_lists_name_present",
                violation_error_message="A list must have a name.",
            ),
            models.UniqueConstraint(
                fields=["company", "name"],
                name="contact_lists_company_id_name_unique",
                violation_error_message="Another list has this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ContactListEntry(TenantModel):
    """A contact on a list."""

    company = company_of_reference()
    list = models.ForeignKey(ContactList, on_delete=models.CASCADE, related_name="entries", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="list_entries", db_index=False)
    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar = TenantManager.from_queryset(OfContactQuerySet)()

    class Meta:
        db_table = "contact_list_entries"
        verbose_name_plural = "contact list entries"
        constraints = [
            models.UniqueConstraint(
                fields=["list", "contact"],
                name="contact_list_entries_list_id_contact_id_unique",
                violation_error_message="The contact is on this list already.",
            ),
        ]
        indexes = [
            Index(
                fields=["contact"],
                name="ix_contact_list_entries_contact_id",
                question="On which lists is this contact?",
                asked_by="deleting a contact; merging contacts",
            ),
        ]

    def __str__(self) -> str:
        return f"List entry #{self.pk}"

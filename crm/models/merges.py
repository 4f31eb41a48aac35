"""Merges of contacts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.models.contacts import Contact
from crm.querysets import ContactMergeQuerySet


class ContactMerge(TenantModel):
    """Two contacts that became one. `kept` is the one that stayed, and `gone_id` the ID of the one that it replaces.

    While it isn't undone it stands for the gone contact, whose row is deleted: old IDs are found here.
    """

    kept = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="merges", db_index=False)
    gone_id = models.BigIntegerField(verbose_name="gone contact's ID")
    fields = models.JSONField(default=dict, blank=True, help_text="The values that were chosen, by field.")

    moved = models.JSONField(default=dict, help_text="IDs of the moved rows, by table.")
    counts = models.JSONField(default=dict, help_text="Number of moved rows, by table.")
    replaced = models.JSONField(
        default=dict, help_text="Rows that were joined with a row of the kept contact: by table, its ID by theirs."
    )
    before = models.JSONField(
        default=dict, help_text="Both contacts, and what else was changed. Empty after 30 days, and after erasure."
    )

    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    undone_at = models.DateTimeField(null=True, blank=True, help_text="Time when it was undone. Empty: it is in force.")
    undone_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    not_restored = models.JSONField(default=list, blank=True, help_text="What the undoing could not restore.")

    objects: ClassVar = TenantManager.from_queryset(ContactMergeQuerySet)()
    audit = Audit(skips=("updated_at", "moved", "replaced", "before", "fields", "not_restored"))
    feed = Feed("merges", ignores=("moved", "replaced", "before"))

    class Meta:
        db_table = "merges"
        verbose_name = "merge"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "gone_id"],
                condition=Q(undone_at__isnull=True),
                name="merges_company_id_gone_id_unique",
                violation_error_message="This contact is merged already.",
            ),
        ]
        indexes = [
            Index(
                fields=["kept"],
                name="ix_merges_kept_id",
                question="Which contacts were merged into this one?",
                asked_by="GET /api/v1/merges?contact=; deleting a contact",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_merges_company_id_created_at",
                question="A company's merges, newest first, from any page on?",
                asked_by="GET /api/v1/merges",
            ),
            Index(
                fields=["created_at"],
                condition=~Q(before={}),
                name="ix_merges_created_at_undoable",
                question="Which merges can't be undone any more, and still hold both contacts, in any company?",
                asked_by="the worker, once a minute",
            ),
        ]

    def __str__(self) -> str:
        return f"Merge #{self.pk}"

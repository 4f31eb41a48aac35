"""Audit entries, and hashes of numbers that must not be contacted."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import AuditAction
from crm.constraints import one_of
from crm.db.audit import TABLE
from crm.db.indexes import Index
from crm.db.tenancy import TenantModel
from crm.encryption import keyed_hash
from crm.models.companies import Company
from crm.names import MAX_ACTOR


class AuditEntry(TenantModel):
    """One row inserted, updated or deleted: triggers write it after every write. Or an export of a list, or a replay.

    It has no foreign keys in the database, because it outlives the row, the user and the company that it names.
    An entry about a staff account has no company, as staff have none.
    """

    appended_from_anywhere = True  # users are also changed outside of a tenant, and the entry is written with them

    company = models.ForeignKey(  # type: ignore[assignment]
        Company, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    actor_id = models.BigIntegerField(null=True, help_text="User ID. Empty: a program.", verbose_name="actor ID")
    actor = models.CharField(max_length=MAX_ACTOR, blank=True, help_text="User or program. Empty: unknown.")

    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField(verbose_name="row ID")
    action = models.CharField(max_length=10, choices=AuditAction.choices)
    changes = models.JSONField(help_text="Old and new value of each changed column.")

    at = models.DateTimeField(default=now)

    class Meta:
        db_table = TABLE
        verbose_name_plural = "audit entries"
        constraints = [one_of("action", AuditAction, name="audit_entries_action_valid")]
        indexes = [
            Index(
                fields=["company", "at"],
                name="ix_audit_entries_company_id_at",
                question="What was changed in this company, newest first?",
                asked_by="GET /api/v1/audit",
            ),
            Index(
                fields=["company", "table_name", "at"],
                name="ix_audit_entries_company_id_table_name_at",
                question="What was changed in this company's rows of one kind, newest first?",
                asked_by="GET /api/v1/audit?resource=",
            ),
            Index(
                fields=["company", "actor_id", "at"],
                condition=Q(actor_id__isnull=False),
                name="ix_audit_entries_company_id_actor_id_at",
                question="What has this user changed, newest first?",
                asked_by="GET /api/v1/audit?user=",
            ),
            Index(
                fields=["company", "at"],
                condition=Q(action__in=AuditAction.not_of_a_row()),
                name="ix_audit_entries_company_id_at_action",
                question="Who has exported lists and replayed webhook events, newest first?",
                asked_by="GET /api/v1/audit?action=export",
                kept_because="such entries are rare: by all entries the list would read the company's changes, too.",
            ),
            Index(
                fields=["table_name", "row_id"],
                name="ix_audit_entries_table_name_row_id",
                question="What happened to this row?",
                asked_by="admin search; export and erasure of a contact",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.table_name} #{self.row_id}"


class SuppressedNumber(TenantModel):
    """Keyed hash of a number whose owner was deleted or erased and must not be contacted.

    Opt-outs are kept in `opt_outs`, not here.
    """

    number_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "suppressed_numbers"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "number_hash"], name="suppressed_numbers_company_id_number_hash_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"Suppressed number #{self.pk}"


def hash_number(phone: str) -> str:
    """Return the hash that is stored for an E.164 number, so that it can be recognised but not read."""
    return keyed_hash("number", phone)

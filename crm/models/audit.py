"""Who changed what, and what outlives the person it is about."""

from django.db import models
from django.utils.timezone import now

from crm.choices import AuditAction
from crm.constraints import one_of
from crm.db.audit import TABLE
from crm.db.indexes import Index
from crm.db.tenancy import TenantModel
from crm.encryption import keyed_hash
from crm.models.companies import Company


class AuditEntry(TenantModel):
    """One row inserted, changed or deleted. Written by triggers alone, so that no path goes around it.

    It points at nothing that the database would check: it outlives the row, the user and the company that it names.
    Staff have no company, and changes of their accounts none either.
    """

    appended_from_anywhere = True  # users change outside of any company, and their evidence is written with them

    company = models.ForeignKey(  # type: ignore[assignment]
        Company, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    actor_id = models.BigIntegerField(null=True, help_text="The user's id; empty for a program.")
    actor = models.CharField(
        max_length=200, blank=True, help_text="The user, or the program; empty if neither came through a door."
    )

    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    action = models.CharField(max_length=10, choices=AuditAction.choices)
    changes = models.JSONField(help_text="Each column that differs, with its old and its new value.")

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
                asked_by="admin: audit entries of a company",
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
    """A number whose owner was deleted or erased, and must not be contacted. Only a keyed hash of it is kept.

    Who said stop is not here, but in the ledger of opt-outs.
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
    """What is kept of an E.164 number that must be recognised and never read."""
    return keyed_hash("number", phone)

"""Changes that clients ask for."""

from typing import ClassVar

from django.db import models

from crm.db.change_feed import TABLE
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import Company
from crm.querysets import ChangeQuerySet


class Change(TenantModel):
    """A change of one object of the API. Triggers write it with the row; see `crm.db.change_feed`.

    It has no foreign keys in the database: it outlives the row, and each would cost every write a look-up.
    """

    appended_from_anywhere = True  # users are also changed outside of a tenant, and the change is written with them

    company = models.ForeignKey(
        Company, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    xid = models.BigIntegerField(help_text="Transaction that wrote it. 0 on SQLite.", verbose_name="transaction ID")
    resource = models.CharField(max_length=30)
    object_id = models.BigIntegerField(verbose_name="object ID")
    contact_id = models.BigIntegerField(
        null=True, help_text="Reps who see this contact see the object.", verbose_name="contact ID"
    )
    rep_id = models.BigIntegerField(
        null=True, help_text="Rep who sees the object, or saw it before.", verbose_name="rep ID"
    )
    # No CHECK: only the triggers write, and it would be a third of their cost.
    change = models.CharField(max_length=10, help_text="See `crm.db.change_feed`.")
    at = models.DateTimeField()

    objects: ClassVar = TenantManager.from_queryset(ChangeQuerySet)()

    class Meta:
        db_table = TABLE
        constraints = [StorageSettings(parameters=BUSY_TABLE, name="changes_storage")]
        indexes = [
            Index(
                fields=["company", "xid", "id"],
                name="ix_changes_company_id_xid_id",
                question="What has changed in this company since this transaction?",
                asked_by="GET /api/v1/changes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} #{self.object_id} {self.change}"

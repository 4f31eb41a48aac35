"""Provider's IDs of archived rows."""

from django.db import models
from django.utils.timezone import now

from crm.db.tenancy import TenantModel


class ArchivedId(TenantModel):
    """Keyed hash of the provider's id of an archived activity.

    A provider may send it again, and without the row nothing else would tell that it was counted. Eight bytes are
    enough: of a hundred million archived rows, one in 10^11 new ids would be taken for an archived one.
    """

    id_hash = models.BigIntegerField(verbose_name="ID hash")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "archived_ids"
        verbose_name = "archived ID"
        constraints = [
            models.UniqueConstraint(fields=["company", "id_hash"], name="archived_ids_company_id_id_hash_unique"),
        ]

    def __str__(self) -> str:
        return f"Archived ID #{self.pk}"

"""Segments."""

from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.tenancy import TenantModel
from crm.models.companies import User


class Segment(TenantModel):
    """A named condition that chooses contacts. `definition` is a tree: see `messaging.services.segments`."""

    name = models.CharField(max_length=200)
    definition = models.JSONField()
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    audit = Audit(skips=("updated_at",))
    feed = Feed("segments")

    class Meta:
        db_table = "segments"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "name"],
                name="segments_company_id_name_unique",
                violation_error_message="Another segment has this name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

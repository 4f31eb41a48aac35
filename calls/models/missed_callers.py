"""Missed callers."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.choices import Recovery, TextBack
from calls.querysets import MissedCallerQuerySet
from crm.constraints import one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Contact, PhoneLine, User


class MissedCaller(TenantModel):
    """A contact in the missed queue. A reply, an answered call or a booking recovers it."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="missed_callers", db_index=False)
    phone_line = models.ForeignKey(
        PhoneLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The phone line of the last missed call.",
    )  # fmt: skip

    missed_calls = models.PositiveIntegerField(default=1)
    first_missed_at = models.DateTimeField()
    last_missed_at = models.DateTimeField()

    text_back = models.CharField(max_length=10, choices=TextBack.choices, default=TextBack.OFF)
    text_back_reason = models.CharField(max_length=300, blank=True, help_text="The reason why no message was sent.")

    recovered_at = models.DateTimeField(null=True, blank=True)
    recovered_by = models.CharField(max_length=10, choices=Recovery.choices, blank=True)
    recovered_user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The user who marked the caller as recovered.",
    )  # fmt: skip

    claimed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The user who is calling back.",
    )  # fmt: skip
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="End of the claim, unless it is renewed.")

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(MissedCallerQuerySet)()
    feed = Feed("missed-calls")

    class Meta:
        db_table = "missed_callers"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="missed_callers_storage"),
            one_of("text_back", TextBack, name="missed_callers_text_back_valid"),
            models.CheckConstraint(
                condition=Q(recovered_at__isnull=True, recovered_by="")
                | Q(recovered_at__isnull=False, recovered_by__in=Recovery.values),
                name="missed_callers_recovered_says_how",
            ),
            models.CheckConstraint(
                condition=Q(claimed_by__isnull=True, claimed_until__isnull=True)
                | Q(claimed_by__isnull=False, claimed_until__isnull=False),
                name="missed_callers_claim_has_an_end",
            ),
            # One open entry in the queue for all missed calls of a contact.
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(recovered_at__isnull=True),
                name="missed_callers_contact_id_unique",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "last_missed_at"],
                name="ix_missed_callers_company_id_last_missed_at",
                question="Which callers were missed, newest first?",
                asked_by="GET /api/v1/missed-calls",
            ),
            Index(
                fields=["company", "last_missed_at"],
                condition=Q(recovered_at__isnull=True),
                name="ix_missed_callers_company_id_last_missed_at_waiting",
                question="Which missed callers were not reached yet, and how many?",
                asked_by="GET /api/v1/missed-calls?recovered=false; GET /api/v1/missed-calls/counts",
                kept_because="few callers wait at a time, so one or two pages count them.",
            ),
            Index(
                fields=["last_missed_at"],
                condition=Q(recovered_at__isnull=True),
                name="ix_missed_callers_last_missed_at_waiting",
                question="Which callers wait to be reached, over all companies, and since when?",
                asked_by="admin: first page; missed callers",
            ),
            Index(
                fields=["created_at"],
                condition=Q(text_back="due"),
                name="ix_missed_callers_created_at_text_back_due",
                question="Which text backs are due, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["created_at"],
                condition=Q(text_back="failed"),
                name="ix_missed_callers_created_at_text_back_failed",
                question="How many text backs failed in the last day, over all companies?",
                asked_by="GET /metrics",
            ),
            Index(
                fields=["contact"],
                name="ix_missed_callers_contact_id",
                question="Which calls of this contact were missed?",
                asked_by="GET /api/v1/missed-calls?contact=; deleting a contact",
            ),
        ]

    def __str__(self) -> str:
        return f"Missed caller #{self.pk}"

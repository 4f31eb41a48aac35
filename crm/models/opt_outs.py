"""Opt-outs by company, number and channel. They are kept for ever, even if the contact is deleted.

47 CFR 64.1200(a)(10): a person may opt out in any reasonable way, and the opt-out must be honoured.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import Channel, OptOutAction, OptOutState
from crm.constraints import one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.activities import Activity
from crm.models.companies import User
from crm.phones import MAX_LENGTH
from crm.querysets import OptOutQuerySet


class OptOut(TenantModel):
    """The opt-out state of one number in one company. Recording an opt-out locks this row first.

    It is found by the hash, which outlives the number: erasing the person erases the number.
    """

    number_hash = models.CharField(max_length=64)
    phone = models.CharField(max_length=MAX_LENGTH, blank=True, help_text="E.164. Empty after erasure.")
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.SMS)

    state = models.CharField(max_length=20, choices=OptOutState.choices, default=OptOutState.CLEAR)
    decided_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of the entry that decides the state. Empty: no entries."
    )
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of the last confirmation of an opt-out or opt-in."
    )
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="Time of the last message that asked for an opt-in."
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(OptOutQuerySet)()
    feed = Feed("opt-outs", ignores=("asked_at",), condition="{row}.decided_at IS NOT NULL")

    class Meta:
        db_table = "opt_outs"
        verbose_name = "opt-out"
        constraints = [
            one_of("channel", Channel, name="opt_outs_channel_valid"),
            one_of("state", OptOutState, name="opt_outs_state_valid"),
            # Lists leave out rows without a time, which are locks of sending.
            models.CheckConstraint(
                condition=Q(state=OptOutState.CLEAR) | Q(decided_at__isnull=False),
                name="opt_outs_decided_has_time",
                violation_error_message="A state other than clear needs the time of its decision.",
            ),
            models.UniqueConstraint(
                fields=["company", "number_hash", "channel"], name="opt_outs_company_id_number_hash_channel_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                condition=Q(state=OptOutState.UNDER_REVIEW),
                name="ix_opt_outs_company_id_created_at_under_review",
                question="Which opt-outs are under review?",
                asked_by="GET /api/v1/opt-outs?state=under_review",
            ),
            Index(
                fields=["company", "created_at"],
                condition=Q(decided_at__isnull=False),
                name="ix_opt_outs_company_id_created_at_decided",
                question="A company's opt-outs that have entries, newest first?",
                asked_by="GET /api/v1/opt-outs",
            ),
        ]

    def __str__(self) -> str:
        return f"Opt-out #{self.pk}"


class OptOutEntry(TenantModel):
    """Evidence of one step of an opt-out. Entries are added, never changed."""

    opt_out = models.ForeignKey(
        OptOut, on_delete=models.PROTECT, related_name="entries", db_index=False, verbose_name="opt-out"
    )
    action = models.CharField(max_length=20, choices=OptOutAction.choices)
    words = models.TextField(blank=True, help_text="The exact words.")
    source = models.CharField(max_length=50, help_text="Origin: sms, provider, review, manual or import.")
    activity = models.ForeignKey(
        Activity, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The message with these words.",
    )  # fmt: skip
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    occurred_at = models.DateTimeField(
        help_text="Time of the words, as reported by the provider. The latest entry decides."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "opt_out_entries"
        verbose_name = "opt-out entry"
        verbose_name_plural = "opt-out entries"
        constraints = [
            one_of("action", OptOutAction, name="opt_out_entries_action_valid"),
            # A webhook event that is processed again adds nothing.
            models.UniqueConstraint(
                fields=["opt_out", "activity", "action"], name="opt_out_entries_opt_out_activity_action_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["opt_out", "occurred_at"],
                name="ix_opt_out_entries_opt_out_id_occurred_at",
                question="Which entries does this opt-out have, in order?",
                asked_by="GET /api/v1/opt-outs/{id}; recording an entry",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_opt_out_entries_company_id_created_at",
                question="A company's opt-out entries, newest first?",
                asked_by="admin: opt-out entries of a company",
            ),
            Index(
                fields=["activity"],
                condition=Q(activity__isnull=False),
                name="ix_opt_out_entries_activity_id",
                question="Is this message evidence of an opt-out?",
                asked_by="manage.py archive; deleting an activity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} #{self.pk}"

"""Who said stop: one ledger for each company, number and channel. Kept for good, whatever becomes of the contact.

47 CFR 64.1200(a)(10): a wish to get no more texts may be told in any reasonable way, and has to be honoured.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import Channel, OptOutAction, OptOutState
from crm.constraints import one_of
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.activities import Activity
from crm.models.companies import User
from crm.phones import MAX_LENGTH
from crm.querysets import OptOutQuerySet


class OptOut(TenantModel):
    """How one number stands to texts of the company. Whoever sends to it, or takes its stop, locks this row first.

    It is found by the hash: that outlives the number, which is erased with the person.
    """

    number_hash = models.CharField(max_length=64)
    phone = models.CharField(max_length=MAX_LENGTH, blank=True, help_text="E.164; empty once the person was erased.")
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.SMS)

    state = models.CharField(max_length=20, choices=OptOutState.choices, default=OptOutState.CLEAR)
    decided_at = models.DateTimeField(
        null=True, blank=True, help_text="When that was said which decides the state; empty: nothing was said ever."
    )
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="When we last confirmed an opt-out or opt-in.")
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When we last asked whether we may text again, as a confirmation does."
    )

    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar = TenantManager.from_queryset(OptOutQuerySet)()

    class Meta:
        db_table = "opt_outs"
        verbose_name = "opt-out"
        constraints = [
            one_of("channel", Channel, name="opt_outs_channel_valid"),
            one_of("state", OptOutState, name="opt_outs_state_valid"),
            models.UniqueConstraint(
                fields=["company", "number_hash", "channel"], name="opt_outs_company_id_number_hash_channel_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                condition=Q(state=OptOutState.UNDER_REVIEW),
                name="ix_opt_outs_company_id_created_at_under_review",
                question="Which opt-outs has a person still to look at?",
                asked_by="GET /api/v1/opt-outs?state=under_review",
            ),
            Index(
                fields=["company", "created_at"],
                condition=Q(decided_at__isnull=False),
                name="ix_opt_outs_company_id_created_at_decided",
                question="Which numbers of a company have said something about texts, newest first?",
                asked_by="GET /api/v1/opt-outs",
            ),
        ]

    def __str__(self) -> str:
        return f"Opt-out #{self.pk}"


class OptOutEntry(TenantModel):
    """One thing said or done about an opt-out, with its evidence. Added, never changed."""

    opt_out = models.ForeignKey(OptOut, on_delete=models.PROTECT, related_name="entries", db_index=False)
    action = models.CharField(max_length=20, choices=OptOutAction.choices)
    words = models.TextField(blank=True, help_text="What was said, word for word.")
    source = models.CharField(max_length=50, help_text="sms, provider, review, manual, import.")
    activity = models.ForeignKey(
        Activity, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        help_text="The message that said it.",
    )  # fmt: skip
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    occurred_at = models.DateTimeField(help_text="When it was said, as the provider tells it. The latest one decides.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "opt_out_entries"
        verbose_name = "opt-out entry"
        verbose_name_plural = "opt-out entries"
        constraints = [
            one_of("action", OptOutAction, name="opt_out_entries_action_valid"),
            # A delivery that is worked on again says nothing new.
            models.UniqueConstraint(
                fields=["opt_out", "activity", "action"], name="opt_out_entries_opt_out_activity_action_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["opt_out", "occurred_at"],
                name="ix_opt_out_entries_opt_out_id_occurred_at",
                question="What was said and done about this number, in order?",
                asked_by="GET /api/v1/opt-outs/{id}; whoever records an entry",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_opt_out_entries_company_id_created_at",
                question="What was said and done about opt-outs in this company, newest first?",
                asked_by="admin: opt-out entries of a company",
            ),
            Index(
                fields=["activity"],
                condition=Q(activity__isnull=False),
                name="ix_opt_out_entries_activity_id",
                question="Is this message evidence in the ledger?",
                asked_by="manage.py archive; deleting an activity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} #{self.pk}"

"""Candidates of duplicate contacts."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import DuplicateState
from crm.constraints import one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.models.contacts import Contact
from crm.querysets import DuplicateCandidateQuerySet

REASONS = {"phone": "same number", "email": "same email address", "name_address": "same name and address"}


class DuplicateCandidate(TenantModel):
    """Two contacts that may be the same person. A user decides; a decision is never asked for again.

    After a merge it has the contact that stayed alone.
    """

    first = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    second = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    reasons = models.JSONField(default=list, help_text="What the two have in common: phone, email, name_address.")
    score = models.PositiveSmallIntegerField(help_text="0 to 100: how likely they are the same person.")
    state = models.CharField(max_length=20, choices=DuplicateState.choices, default=DuplicateState.OPEN)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(DuplicateCandidateQuerySet)()
    feed = Feed("duplicates")

    class Meta:
        db_table = "duplicates"
        verbose_name = "duplicate"
        constraints = [
            one_of("state", DuplicateState, name="duplicates_state_valid"),
            models.CheckConstraint(condition=Q(score__lte=100), name="duplicates_score_valid"),
            # The pair has one order, so that it is found once.
            models.CheckConstraint(
                condition=Q(first__lt=F("second")) | Q(first__isnull=True) | Q(second__isnull=True),
                name="duplicates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(state="merged") | Q(first__isnull=False, second__isnull=False),
                name="duplicates_two_contacts",
            ),
            models.CheckConstraint(
                condition=Q(state="open") | Q(decided_at__isnull=False), name="duplicates_decided_has_time"
            ),
            models.UniqueConstraint(fields=["first", "second"], name="duplicates_first_id_second_id_unique"),
        ]
        indexes = [
            Index(
                fields=["company", "score", "id"],
                name="ix_duplicates_company_id_score_id",
                question="A company's candidates, the likeliest first, from any page on?",
                asked_by="GET /api/v1/duplicates",
            ),
            Index(
                fields=["created_at"],
                condition=Q(state=DuplicateState.OPEN),
                name="ix_duplicates_created_at_open",
                question="Which candidates wait for a decision, over all companies?",
                asked_by="admin: first page",
            ),
            Index(
                fields=["score", "id"],
                condition=Q(state=DuplicateState.OPEN),
                name="ix_duplicates_score_id_open",
                question="Which candidates wait for a decision, over all companies, the likeliest first?",
                asked_by="admin: list",
            ),
            Index(
                fields=["second"],
                name="ix_duplicates_second_id",
                question="Which candidates have this contact as the second one?",
                asked_by="merging and deleting a contact",
            ),
        ]

    def __str__(self) -> str:
        return f"Duplicate #{self.pk}"

    @property
    def shared(self) -> str:
        """The reasons, for people."""
        return ", ".join(REASONS[reason] for reason in self.reasons)

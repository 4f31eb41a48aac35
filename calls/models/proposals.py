"""Proposals of another time for an appointment."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.choices import ProposalStatus
from calls.models.appointments import Appointment
from calls.querysets import MAX_APPOINTMENT_LENGTH, AppointmentProposalQuerySet
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import User

IS_OPEN = Q(status=ProposalStatus.OPEN)


class AppointmentProposal(TenantModel):
    """Another time that the rep of an appointment proposes. A CSR or a manager accepts it, which moves the appointment.

    An open one is decided once, and then stays as it is.
    """

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="+", db_index=False)
    scheduled_start = models.DateTimeField(help_text="Start that is proposed.")
    scheduled_end = models.DateTimeField(help_text="End that is proposed.")
    note = models.CharField(max_length=300, blank=True, help_text="Why, for who decides.")
    status = models.CharField(max_length=10, choices=ProposalStatus.choices, default=ProposalStatus.OPEN)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(AppointmentProposalQuerySet)()
    audit = Audit(skips=("updated_at",))
    feed = Feed("appointment-proposals", rep="created_by_id")

    class Meta:
        db_table = "appointment_proposals"
        constraints = [
            one_of("status", ProposalStatus, name="appointment_proposals_status_valid"),
            models.CheckConstraint(
                condition=Q(scheduled_end__gt=F("scheduled_start")),
                name="appointment_proposals_ends_after_start",
                violation_error_message="An appointment must end after it starts.",
            ),
            in_range("scheduled_start", "scheduled_end", name="appointment_proposals_times_in_range"),
            models.CheckConstraint(
                condition=Q(scheduled_end__lte=F("scheduled_start") + MAX_APPOINTMENT_LENGTH),
                name="appointment_proposals_length_valid",
                violation_error_message=f"An appointment must end within {MAX_APPOINTMENT_LENGTH.days} days.",
            ),
            models.CheckConstraint(
                condition=Q(status=ProposalStatus.OPEN, decided_at__isnull=True)
                | (~Q(status=ProposalStatus.OPEN) & Q(decided_at__isnull=False)),
                name="appointment_proposals_decided_says_when",
            ),
            models.UniqueConstraint(
                fields=["appointment"],
                condition=IS_OPEN,
                name="appointment_proposals_appointment_id_unique",
                violation_error_message="Another time is proposed for this appointment already.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_appointment_proposals_company_id_created_at",
                question="Which times were proposed in a company, newest first?",
                asked_by="GET /api/v1/appointment-proposals",
            ),
            Index(
                fields=["company", "created_at"],
                condition=IS_OPEN,
                name="ix_appointment_proposals_company_id_created_at_open",
                question="Which proposals of a company wait for a decision?",
                asked_by="GET /api/v1/notices; GET /api/v1/appointment-proposals?status=open",
                kept_because="few proposals wait: else the decided ones, which pile up, would be read.",
            ),
            Index(
                fields=["appointment"],
                name="ix_appointment_proposals_appointment_id",
                question="Which times were proposed for this appointment?",
                asked_by="GET /api/v1/appointment-proposals?appointment=; deleting an appointment",
            ),
        ]

    def __str__(self) -> str:
        return f"Proposal #{self.pk}"

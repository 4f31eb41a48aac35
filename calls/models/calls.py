"""Calls."""

from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.choices import BOOKED, CallStatus
from calls.models.lead_triggers import APPOINTMENTS_SHARE_LEAD
from calls.querysets import CallQuerySet
from crm.choices import Direction
from crm.constraints import in_range, one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Activity, Contact, Lead, PhoneLine, User
from crm.phones import MAX_LENGTH


def keep_lead_of_booked_calls(collector: Any, field: Any, sub_objs: Any, using: str) -> None:
    """Refuse to delete the lead of a booked call (`on_delete`). Other calls lose it. Frozen into migrations."""
    booked = {call for call in sub_objs if call.booked and call.contact_id}
    if booked:
        raise models.ProtectedError("A booked call keeps its lead.", booked)
    models.SET_NULL(collector, field, sub_objs, using)


class Call(TenantModel):
    """A phone call. Its activity's `openphone_id` is the provider's id of the call.

    A call with a lead is *qualified*.
    """

    activity = models.OneToOneField(Activity, on_delete=models.PROTECT, null=True, blank=True, related_name="call")
    contact = models.ForeignKey(
        Contact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="calls",
        db_column="contact_card_id",
        db_index=False,
    )
    phone_line = models.ForeignKey(
        PhoneLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    lead = models.ForeignKey(
        Lead, on_delete=keep_lead_of_booked_calls, null=True, blank=True, related_name="calls", db_index=False
    )
    assigned_rep = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.INCOMING)
    from_number = models.CharField(max_length=MAX_LENGTH, blank=True, help_text="E.164, or as sent, such as Anonymous.")
    to_number = models.CharField(max_length=MAX_LENGTH, blank=True)
    recording_url = models.URLField(max_length=500, blank=True, verbose_name="recording URL")
    voicemail_url = models.URLField(max_length=500, blank=True, verbose_name="voicemail URL")

    status = models.CharField(max_length=20, choices=CallStatus.choices, default=CallStatus.IN_PROGRESS)
    booked = models.BooleanField(default=False, editable=False, help_text="Derived from the status.")
    reason_for_lost_sale = models.TextField(blank=True)
    quoted_price = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )

    created_at = models.DateTimeField(default=now, help_text="Start of ringing.")
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    duration_s = models.PositiveIntegerField(
        null=True, blank=True, help_text="Talk time in seconds; empty if unanswered.", verbose_name="duration"
    )

    objects: ClassVar = TenantManager.from_queryset(CallQuerySet)()
    triggers = APPOINTMENTS_SHARE_LEAD
    feed = Feed("calls", contact="contact_card_id", rep="assigned_rep_id")

    class Meta:
        db_table = "calls"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="calls_storage"),
            one_of("direction", Direction, name="calls_direction_valid"),
            one_of("status", CallStatus, name="calls_status_valid"),
            models.CheckConstraint(
                condition=Q(booked=True, status__in=BOOKED) | (Q(booked=False) & ~Q(status__in=BOOKED)),
                name="calls_booked_agrees_with_status",
                violation_error_message="booked must agree with the status.",
            ),
            models.CheckConstraint(
                condition=~Q(direction="outgoing", status="missed"),
                name="calls_outgoing_never_missed",
                violation_error_message="An outgoing call can't be missed.",
            ),
            models.CheckConstraint(
                condition=Q(quoted_price__isnull=True) | Q(quoted_price__gte=0),
                name="calls_quoted_price_not_negative",
                violation_error_message="quoted_price can't be negative.",
            ),
            in_range("created_at", nullable=("answered_at", "completed_at"), name="calls_times_in_range"),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | Q(answered_at__gte=F("created_at")),
                name="calls_times_start_before_answer",
                violation_error_message="A call can't be answered before it starts (created_at).",
            ),
            models.CheckConstraint(
                condition=Q(completed_at__isnull=True)
                | Q(completed_at__gte=F("created_at"))
                & (Q(answered_at__isnull=True) | Q(completed_at__gte=F("answered_at"))),
                name="calls_times_start_before_end",
                violation_error_message="A call can't end before it starts (created_at) or is answered.",
            ),
            models.CheckConstraint(
                condition=(Q(answered_at__isnull=True) & (Q(duration_s__isnull=True) | Q(duration_s=0)))
                | ~Q(status="missed"),
                name="calls_answered_never_missed",
                violation_error_message="A call that was answered can't be missed.",
            ),
            models.CheckConstraint(
                condition=Q(status="lost") | Q(reason_for_lost_sale=""),
                name="calls_reason_only_if_lost",
                violation_error_message="Only a lost call has a reason; set the status to lost, or leave this empty.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_calls_company_id_created_at",
                question="Which calls has a company in these days, newest first, from any page?",
                asked_by="GET /api/v1/dashboard/calls, metrics and booking-rate with dates; GET /api/v1/calls",
            ),
            Index(
                fields=["created_at"],
                name="ix_calls_created_at",
                question="Which calls are the newest, over all companies?",
                asked_by="admin: list of calls",
            ),
            Index(
                fields=["company", "status"],
                name="ix_calls_company_id_status",
                question="Which of a company's calls have this status, and how many?",
                asked_by="GET /api/v1/dashboard/calls?status=&count=1",
            ),
            Index(
                fields=["assigned_rep", "created_at"],
                name="ix_calls_assigned_rep_id_created_at",
                question="Which calls has this rep, newest first?",
                asked_by="GET /api/v1/dashboard/calls?assigned_rep=",
            ),
            Index(
                fields=["company", "booked"],
                name="ix_calls_company_id_booked",
                question="Which calls of a company are booked, and how many?",
                asked_by="admin: a company's calls filtered by booked",
            ),
            Index(
                fields=["contact", "created_at"],
                name="ix_calls_contact_card_id_created_at",
                question="Which calls has this contact, newest first?",
                asked_by="GET /api/v1/calls?contact=",
            ),
            Index(
                fields=["lead"],
                condition=Q(lead__isnull=False),
                name="ix_calls_lead_id",
                question="Which calls belong to this lead?",
                asked_by="deleting a lead",
            ),
            Index(
                fields=["company", "from_number"],
                condition=Q(contact__isnull=True),
                name="ix_calls_company_id_from_number_unlinked",
                question="Which calls came from this number, which is no contact's?",
                asked_by="GET /api/v1/calls?number=",
            ),
            Index(
                fields=["company", "to_number"],
                condition=Q(contact__isnull=True),
                name="ix_calls_company_id_to_number_unlinked",
                question="Which calls went to this number, which is no contact's?",
                asked_by="GET /api/v1/calls?number=",
            ),
            # Declared last: among indexes of equal cost, PostgreSQL picks the youngest, and this is a prefix of others.
            Index(
                fields=["company"],
                name="ix_calls_company_id",
                question="How many calls has this company?",
                asked_by="GET /api/v1/dashboard/calls?count=1",
                kept_because="monitoring and run books name it, and no smaller index counts a company's calls.",
            ),
        ]

    def __str__(self) -> str:
        return f"Call #{self.pk}"

    def set_status(self, status: str) -> None:
        """Set the status and the columns that it decides. Does not save."""
        self.status = status
        self.booked = status in BOOKED
        if status != CallStatus.LOST:
            self.reason_for_lost_sale = ""

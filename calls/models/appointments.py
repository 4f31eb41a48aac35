"""Appointments."""

from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.choices import AppointmentStatus
from calls.models.calls import Call
from calls.models.overlap_triggers import ONE_PLACE_AT_A_TIME, REP_IS_FREE
from calls.querysets import MAX_APPOINTMENT_LENGTH, AppointmentQuerySet
from calls.wallclock import WallDate, WallTime
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.error_codes import ErrorCode
from crm.models import Contact, Lead, User
from crm.models.companies import validate_timezone


class Appointment(TenantModel):
    """An appointment. The database derives `date` and `time`, the start in the appointment's `timezone`.

    `timezone` is copied from the company. A change of the company's time zone updates future appointments only.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    call = models.ForeignKey(
        Call, on_delete=models.PROTECT, null=True, blank=True, related_name="appointments", db_index=False
    )
    lead = models.ForeignKey(
        Lead, on_delete=models.SET_NULL, null=True, blank=True, related_name="appointments", db_index=False
    )
    assigned_rep = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    scheduled_start = models.DateTimeField()
    scheduled_end = models.DateTimeField()
    timezone = models.CharField(max_length=64, validators=[validate_timezone], verbose_name="time zone")
    date = models.GeneratedField(
        expression=WallDate("scheduled_start", "timezone"), output_field=models.DateField(), db_persist=True
    )
    time = models.GeneratedField(
        expression=WallTime("scheduled_start", "timezone"), output_field=models.TimeField(), db_persist=True
    )

    allow_overlap = models.BooleanField(
        default=False, help_text="Booked although the rep has another appointment at this time."
    )

    series = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Of appointments that were booked together, by one rule."
    )

    status = models.CharField(max_length=20, choices=AppointmentStatus.choices, default=AppointmentStatus.SCHEDULED)
    notes = models.TextField(blank=True)
    on_the_way_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Time when the contact was told that the rep is on the way."
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(AppointmentQuerySet)()
    audit = Audit(skips=("updated_at",))
    triggers = ONE_PLACE_AT_A_TIME
    trigger_refusals: ClassVar = {
        REP_IS_FREE: (
            "assigned_rep",
            "The rep has another appointment at this time; choose another time or rep, or allow the overlap.",
            ErrorCode.SLOT_TAKEN,
        )
    }

    feed = Feed("appointments", contact="contact_id", rep="assigned_rep_id")

    class Meta:
        db_table = "appointments"
        constraints = [
            one_of("status", AppointmentStatus, name="appointments_status_valid"),
            models.CheckConstraint(
                condition=Q(scheduled_end__gt=F("scheduled_start")),
                name="appointments_ends_after_start",
                violation_error_message="An appointment must end after it starts.",
            ),
            in_range("scheduled_start", "scheduled_end", name="appointments_times_in_range"),
            models.CheckConstraint(
                condition=Q(scheduled_end__lte=F("scheduled_start") + MAX_APPOINTMENT_LENGTH),
                name="appointments_length_valid",
                violation_error_message=f"An appointment must end within {MAX_APPOINTMENT_LENGTH.days} days.",
            ),
        ]
        indexes = [
            Index(
                fields=["date", "time"],
                name="idx_appointment_date",
                question="Which appointments are on this day, by local date, over all companies?",
                asked_by="admin: list of appointments; GET /api/v1/appointments?date=",
            ),
            Index(
                fields=["company", "scheduled_start"],
                name="ix_appointments_company_id_scheduled_start",
                question="Which of a company's appointments start in these days?",
                asked_by="GET /api/v1/dashboard/booking-rate; GET /api/v1/appointments",
            ),
            Index(
                fields=["scheduled_start"],
                name="ix_appointments_scheduled_start",
                question="Which appointments start between these times, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["contact", "scheduled_start"],
                name="ix_appointments_contact_id_scheduled_start",
                question="Which appointments has this contact?",
                asked_by="GET /api/v1/appointments?contact=",
            ),
            Index(
                fields=["assigned_rep", "scheduled_start"],
                name="ix_appointments_assigned_rep_id_scheduled_start",
                question="Which appointments has this rep, and is the rep free at this time?",
                asked_by="GET /api/v1/appointments?assigned_rep=; booking an appointment",
            ),
            Index(
                fields=["series", "scheduled_start"],
                condition=Q(series__isnull=False),
                name="ix_appointments_series_scheduled_start",
                question="Which appointments are of this series, from this one on?",
                asked_by="GET /api/v1/appointments?series=; POST /api/v1/appointments/{id}/change-series",
            ),
            Index(
                fields=["call"],
                condition=Q(call__isnull=False),
                name="ix_appointments_call_id",
                question="Which appointments were booked from this call?",
                asked_by="admin: a call's page",
            ),
            Index(
                fields=["lead"],
                condition=Q(lead__isnull=False),
                name="ix_appointments_lead_id",
                question="Which appointments belong to this lead?",
                asked_by="deleting a lead",
            ),
        ]

    def __str__(self) -> str:
        return f"Appointment #{self.pk}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

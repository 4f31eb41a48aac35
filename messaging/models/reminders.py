"""Reminders of appointments."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from calls.models import Appointment
from crm.constraints import one_of
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from messaging.choices import ReminderAnswer, ReminderStatus
from messaging.querysets import AppointmentReminderQuerySet


class AppointmentReminder(TenantModel):
    """The reminder of an appointment, some minutes before its start.

    There is one row for each appointment and lead time. After the appointment was moved it is used again, for the new
    start. A row is made when the reminder is due, so what changes before needs no row.
    """

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="+", db_index=False)
    lead_minutes = models.PositiveSmallIntegerField(help_text="Minutes before the start.")
    scheduled_start = models.DateTimeField(help_text="Start that the reminder names.")
    status = models.CharField(max_length=20, choices=ReminderStatus.choices, default=ReminderStatus.PENDING)
    reason = models.CharField(max_length=300, blank=True, help_text="Why there is no message.")
    # No foreign key: the message may be archived.
    message_id = models.BigIntegerField(null=True, blank=True, unique=True, verbose_name="message ID")
    answer = models.CharField(max_length=20, choices=ReminderAnswer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="Time of the contact's latest answer.")
    run_at = models.DateTimeField(null=True, blank=True, help_text="End of a worker's lease. Empty: done.")

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(AppointmentReminderQuerySet)()
    feed = Feed("appointment-reminders", ignores=("run_at",))

    class Meta:
        db_table = "appointment_reminders"
        constraints = [
            one_of("status", ReminderStatus, name="appointment_reminders_status_valid"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | Q(answer__in=ReminderAnswer.values, answered_at__isnull=False),
                name="appointment_reminders_answer_valid",
            ),
            models.CheckConstraint(
                condition=~Q(status=ReminderStatus.PENDING) | Q(run_at__isnull=False),
                name="appointment_reminders_pending_has_time",
            ),
            models.UniqueConstraint(
                fields=["appointment", "lead_minutes"], name="appointment_reminders_appointment_id_lead_minutes_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["run_at"],
                condition=Q(status=ReminderStatus.PENDING),
                name="ix_appointment_reminders_run_at",
                question="Which reminders wait for a worker, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["company", "scheduled_start"],
                condition=Q(answer=ReminderAnswer.RESCHEDULE),
                name="ix_appointment_reminders_company_id_scheduled_start_reschedule",
                question="Which contacts have asked for another time of an appointment to come?",
                asked_by="GET /api/v1/notices; GET /api/v1/appointment-reminders?reschedule=true",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_appointment_reminders_company_id_created_at",
                question="A company's reminders, newest first?",
                asked_by="GET /api/v1/appointment-reminders",
            ),
        ]

    def __str__(self) -> str:
        return f"Reminder #{self.pk}"

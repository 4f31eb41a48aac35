"""Reminders of appointments: planned and queued by a worker when they are due."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from calls.choices import COMING
from calls.models import Appointment
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, tenant
from crm.models import Company, PhoneLine
from messaging.choices import MessageKind, ReminderStatus
from messaging.models import AppointmentReminder
from messaging.services.outbound.outbox import SendBlocked, queue_message
from messaging.services.outbound.reminder_policy import LEADS, TOO_LATE, fault_of, latest_departure
from messaging.services.outbound.reminder_texts import text_of
from messaging.services.replies import reply_line

PROGRAM = "reminders"  # the actor in audit entries
MINUTE = timedelta(minutes=1)
BATCH = 50  # reminders of one lease
NO_LINE = "It is unknown which phone line the contact knows: there is no conversation, and there are several lines."

logger = logging.getLogger(__name__)


class _NoLongerMine(Exception):
    """The lease has run out, and another worker has the reminder."""


class _TooLate(Exception):
    """The send policy allows the reminder only when it makes no sense any more."""


def queue_next_reminders() -> bool:
    """Queue the reminders that are due, of any company, a batch at once. Returns False if none is due.

    They are planned in sets, each as a row that a worker leases. Message and status are one transaction: a worker that
    is killed has queued a reminder or not, and another one leases what is left.
    """
    claimed = _claim()
    if not claimed:
        for lead in LEADS:
            plan_reminders(lead=lead)
        claimed = _claim()
    for reminder in claimed:
        _queue(reminder)
    return bool(claimed)


def has_pending_reminders() -> bool:
    """Return whether a reminder is leased or due."""
    now = timezone.now()
    with all_tenants():
        return AppointmentReminder.objects.filter(status=ReminderStatus.PENDING).exists() or any(
            find_appointments_to_remind(lead=lead, now=now).exists() for lead in LEADS
        )


def find_appointments_to_remind(*, lead: timedelta, now: datetime) -> QuerySet[Appointment]:
    """Return the appointments whose reminder is due, earliest first.

    People who booked later than that have just heard the time. After a move a reminder with the new time is due, unless
    it is too late for it.
    """
    reminders = AppointmentReminder.objects.filter(
        appointment=OuterRef("pk"), lead_minutes=lead // MINUTE, scheduled_start=OuterRef("scheduled_start")
    )
    coming = Appointment.objects.filter(
        scheduled_start__gt=now + lead / 2,  # as in `latest_departure`
        scheduled_start__lte=now + lead,
        status__in=COMING,
        created_at__lte=F("scheduled_start") - lead,
        company__appointment_reminders=True,
    )
    return coming.filter(~Exists(reminders)).order_by("scheduled_start", "id")


def plan_reminders(*, lead: timedelta) -> None:
    """Add rows for a batch of reminders that are due. Of two workers that do so at once, each row is added once."""
    now, minutes = timezone.now(), lead // MINUTE
    with all_tenants(), transaction.atomic():
        due = list(find_appointments_to_remind(lead=lead, now=now)[:BATCH])
        own: Any = AppointmentReminder.objects.filter(appointment__in=due, lead_minutes=minutes)
        moved = own.exclude(scheduled_start=F("appointment__scheduled_start"))
        moved = list(moved.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related("appointment"))
        for reminder in moved:
            reminder.scheduled_start = reminder.appointment.scheduled_start
            reminder.status, reminder.reason, reminder.message_id = ReminderStatus.PENDING, "", None
            reminder.answer, reminder.answered_at, reminder.run_at = "", None, now
        fields = ["scheduled_start", "status", "reason", "message_id", "answer", "answered_at", "run_at"]
        AppointmentReminder.objects.bulk_update(moved, fields)
        AppointmentReminder.objects.bulk_create(
            [
                AppointmentReminder(
                    company_id=appointment.company_id,
                    appointment=appointment,
                    lead_minutes=minutes,
                    scheduled_start=appointment.scheduled_start,
                    run_at=now,
                )
                for appointment in due
            ],
            ignore_conflicts=True,
        )


def drop_reminders(*, companies: Sequence[Company], reason: str) -> int:
    """Skip the reminders of these companies that are due, planned or not. Returns how many."""
    for lead in LEADS:
        while find_appointments_to_remind(lead=lead, now=timezone.now()).filter(company__in=companies).exists():
            plan_reminders(lead=lead)
    pending = AppointmentReminder.objects.filter(company__in=companies, status=ReminderStatus.PENDING)
    return pending.update(status=ReminderStatus.SKIPPED, reason=reason, run_at=None)


def _claim() -> Sequence[AppointmentReminder]:
    """Lease a batch of pending reminders."""
    with all_tenants(), transaction.atomic():
        now = timezone.now()
        due = AppointmentReminder.objects.due(now).select_for_update(skip_locked=True, no_key=True)
        claimed = list(due[:BATCH])
        lease = now + timedelta(seconds=settings.WORKER_LEASE_S)
        AppointmentReminder.objects.filter(pk__in=[reminder.pk for reminder in claimed]).update(run_at=lease)
    for reminder in claimed:
        reminder.run_at = lease
    return claimed


def _queue(reminder: AppointmentReminder) -> None:
    try:
        with program_transaction(PROGRAM, company_id=reminder.company_id):
            _queue_or_skip(reminder)
    except Exception as error:
        if not connection.is_usable():
            raise  # the database failed; the lease runs out
        logger.exception("Reminder %d failed.", reminder.pk)
        with tenant(reminder.company_id):  # no second try: the next reminder, or a person, comes soon enough
            _finish(reminder, ReminderStatus.SKIPPED, reason=f"It failed ({type(error).__name__}).")


def _queue_or_skip(reminder: AppointmentReminder) -> None:
    """Queue the message of a leased reminder, or record why there is none.

    Lock order: conversation, then reminder, then appointment, as in the handling of answers.
    """
    found = Appointment.objects.select_related("contact", "company", "call__phone_line")
    appointment = found.filter(pk=reminder.appointment_id).first()
    if appointment is None:
        return  # deleted, and the reminder with it
    now, lead = timezone.now(), timedelta(minutes=reminder.lead_minutes)
    line = line_of(appointment)
    fault = fault_of(reminder=reminder, appointment=appointment, now=now) or ("" if line else NO_LINE)
    if fault or line is None:
        _finish(reminder, ReminderStatus.SKIPPED, reason=fault)
        return
    body = text_of(appointment=appointment, lead=lead)
    try:
        with transaction.atomic():
            message = queue_message(contact=appointment.contact, line=line, body=body, kind=MessageKind.REMINDER)
            if message.run_at and message.run_at > latest_departure(appointment.scheduled_start, lead):
                raise _TooLate(f"{TOO_LATE} {message.error}".strip())
            if not _finish(reminder, ReminderStatus.QUEUED, message_id=message.pk):
                raise _NoLongerMine
    except _NoLongerMine:
        pass
    except (SendBlocked, _TooLate) as reason:
        _finish(reminder, ReminderStatus.SKIPPED, reason=str(reason))


def line_of(appointment: Appointment) -> PhoneLine | None:
    """Return the line of the contact's latest conversation, else that of the call from which it was booked."""
    return reply_line(appointment.contact) or (appointment.call.phone_line if appointment.call else None)


def _finish(
    reminder: AppointmentReminder, status: ReminderStatus, *, reason: str = "", message_id: int | None = None
) -> bool:
    """Record what became of a leased reminder. Returns False if the lease is lost."""
    mine = AppointmentReminder.objects.filter(pk=reminder.pk, status=ReminderStatus.PENDING, run_at=reminder.run_at)
    return bool(mine.update(status=status, reason=reason[:300], message_id=message_id, run_at=None))

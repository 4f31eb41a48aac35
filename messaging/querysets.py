"""Named queries for webhook events and messages."""

from datetime import datetime
from typing import Any, Self

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from calls.choices import COMING
from crm.choices import Direction
from crm.querysets import OfContactQuerySet
from messaging.choices import (
    DONE,
    LOST,
    OUTCOME_UNKNOWN,
    TEXT_STATES,
    EventStatus,
    MessageStatus,
    OwnCode,
    ReminderAnswer,
    ReminderStatus,
)


class WebhookEventQuerySet(QuerySet):
    def waiting(self) -> Self:
        """Return pending events, oldest first."""
        return self.filter(processed=False, status=EventStatus.PENDING).order_by("created_at", "id")

    def with_status(self, *statuses: str) -> Self:
        """Filter by status, and by the implied `processed`, which has the index that finds the few dead events."""
        return self.filter(status__in=statuses, processed__in={status in DONE for status in statuses})

    def due(self, now: datetime) -> Self:
        """Return pending events without a lease or backoff, in the order in which they became due."""
        return self.waiting().filter(run_at__lte=now).order_by("run_at", "id")

    def since(self, moment: datetime) -> Self:
        """Return events since `moment`. `processed` is included since the index over all companies begins with it."""
        return self.filter(processed__in=[True, False], created_at__gte=moment)


class AppointmentReminderQuerySet(QuerySet):
    def due(self, now: datetime) -> Self:
        """Return pending reminders without a lease, longest wait first."""
        return self.filter(status=ReminderStatus.PENDING, run_at__lte=now).order_by("run_at", "id")

    def reschedule_requests(self, now: datetime) -> Self:
        """Return reminders whose answer asks for another time, while nobody has acted on it.

        They end when the appointment is moved, cancelled or over, or when the contact answers a later reminder.
        """
        reminders: Any = self.model
        later = reminders.objects.filter(appointment=OuterRef("appointment"), answered_at__gt=OuterRef("answered_at"))
        return self.filter(
            ~Exists(later),
            answer=ReminderAnswer.RESCHEDULE,
            scheduled_start__gt=now,
            appointment__scheduled_start=F("scheduled_start"),
            appointment__status__in=COMING,
        )

    def with_contact(self) -> Self:
        """Annotate each with `contact`, the id of the appointment's contact."""
        return self.annotate(contact=F("appointment__contact"))


class MessageQuerySet(OfContactQuerySet):
    def unread(self) -> Self:
        """Return incoming messages that no user has read."""
        return self.filter(direction=Direction.INCOMING, read_at__isnull=True)

    def left_after(self, moment: datetime) -> Self:
        """Return messages that left, or may have left, after `moment`, each with that time as `departure`."""
        return self.annotate(departure=Coalesce("sent_at", "created_at")).filter(departure__gt=moment)

    def ready_on_line(self, *, line_id: int, priority: int, now: datetime) -> Self:
        """Return the line's queued messages of this priority that are due and need wait for no other, oldest first.

        A message waits for earlier messages of its kind to the same contact over the same line, and for any with an
        unknown outcome. Messages thus arrive in order, and a reported or looked-up message matches only one of them.
        Scheduled messages are in the order of their users' times.
        """
        messages: Any = self.model
        unscheduled_or_same = Q(send_at__isnull=True) | Q(send_at=OuterRef("send_at"))
        before = Q(send_at__lt=OuterRef("send_at")) | (unscheduled_or_same & Q(pk__lt=OuterRef("pk")))
        earlier = messages.objects.filter(
            Q(status__in=OUTCOME_UNKNOWN) | (Q(status=MessageStatus.QUEUED, kind=OuterRef("kind")) & before),
            contact=OuterRef("contact"),
            phone_line=OuterRef("phone_line"),
        )
        # One priority at a time: in the index, those of each are in the order of time.
        due = self.filter(status=MessageStatus.QUEUED, phone_line=line_id, priority=priority, run_at__lte=now)
        return due.filter(~Exists(earlier)).order_by("run_at", "id")

    def due_for_lookup(self, now: datetime) -> Self:
        """Return messages with an unknown outcome: the provider didn't answer, or the worker was killed."""
        return self.filter(status__in=OUTCOME_UNKNOWN, run_at__lte=now).order_by("run_at", "id")

    def lost_since(self, moment: datetime) -> Self:
        """Return messages since `moment` that were not sent or not delivered, without those that people cancelled."""
        return self.filter(status__in=LOST, created_at__gte=moment).not_cancelled()

    def in_text_state(self, state: str) -> Self:
        """Return outgoing messages in one of `TEXT_STATES`, without those that people cancelled."""
        _, statuses = TEXT_STATES[state]
        return self.filter(direction=Direction.OUTGOING, status__in=statuses).not_cancelled()

    def not_cancelled(self) -> Self:
        return self.exclude(error_code=OwnCode.CANCELLED)

    def answered(self) -> Self:
        """Return messages that a reply holds back and that the contact has replied to since they were written."""
        messages: Any = self.model
        replies = messages.objects.filter(
            contact=OuterRef("contact"), created_at__gt=OuterRef("created_at"), direction=Direction.INCOMING
        )
        return self.filter(Exists(replies), hold_if_reply=True)

    def queued_until(self, until: datetime) -> Self:
        """Return queued messages that are due by `until`."""
        return self.filter(status=MessageStatus.QUEUED, run_at__lte=until)

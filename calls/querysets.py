"""Named queries of calls, appointments and missed callers."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from calls.choices import AppointmentStatus, AttachmentStatus, CallStatus, Due, ProposalStatus, TextBack
from crm.choices import ActivityType, Direction
from crm.date_ranges import bounds_of, today_in
from crm.query_slots import contact_ids_of_rep
from crm.querysets import OfContactQuerySet

if TYPE_CHECKING:
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from crm.models import User

MAX_APPOINTMENT_LENGTH = timedelta(days=14)  # bounds the starts of those that can overlap one, so an index finds them
MAX_TIME_OFF = timedelta(days=366)  # as well


class CallQuerySet(QuerySet):
    def created_between(self, start: datetime | None, end: datetime | None) -> Self:
        """Return calls that began in [start, end); None leaves a side open."""
        calls = self
        if start is not None:
            calls = calls.filter(created_at__gte=start)
        if end is not None:
            calls = calls.filter(created_at__lt=end)
        return calls

    def assigned_to(self, rep: "User") -> Self:
        return self.filter(assigned_rep=rep)

    def with_number(self, phone: str) -> Self:
        """Return calls from or to a number, E.164: those of its contact, and those without a contact."""
        calls = self.filter(Q(from_number=phone) | Q(to_number=phone), contact__phones__phone=phone).values("pk")
        unlinked = self.filter(contact__isnull=True)
        # A union of what three indexes answer; one condition for all would read the company's calls from end to end.
        found = calls.union(*(unlinked.filter(**{side: phone}).values("pk") for side in ("from_number", "to_number")))
        return self.filter(pk__in=found)

    def missed(self) -> Self:
        return self.filter(status=CallStatus.MISSED)

    def answered_calls(self) -> Self:
        """Return incoming and outgoing calls in which people talked."""
        spoken = self.filter(Q(answered_at__isnull=False) | Q(duration_s__gt=0))
        return spoken.exclude(status__in=[CallStatus.MISSED, CallStatus.IN_PROGRESS])


class AppointmentQuerySet(QuerySet):
    def starting_between(self, start: datetime, end: datetime) -> Self:
        """Return appointments that start in [start, end)."""
        return self.filter(scheduled_start__gte=start, scheduled_start__lt=end)

    def assigned_to(self, rep: "User") -> Self:
        return self.filter(assigned_rep=rep)

    def in_calendar_of(self, user: "User", start: datetime, end: datetime) -> Self:
        """Return the user's appointments that start in [start, end), with their contacts, earliest first."""
        own = self.assigned_to(user).starting_between(start, end)
        return own.select_related("contact").order_by("scheduled_start", "id")

    def not_cancelled(self) -> Self:
        return self.exclude(status=AppointmentStatus.CANCELLED)

    def of_series(self, series: "UUID") -> Self:
        return self.filter(series=series)

    def overlapping(self, appointment: Any) -> Self:
        """Return the other appointments of its rep at the same time, earliest first."""
        others = self.not_cancelled().filter(
            assigned_rep=appointment.assigned_rep_id,
            scheduled_start__gt=appointment.scheduled_start - MAX_APPOINTMENT_LENGTH,
            scheduled_start__lt=appointment.scheduled_end,
            scheduled_end__gt=appointment.scheduled_start,
        )
        return others.exclude(pk=appointment.pk).order_by("scheduled_start", "id")

    def counted_as_booked(self) -> Self:
        """Return appointments that count as booked: neither cancelled nor a no-show."""
        return self.filter(
            status__in=[AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED, AppointmentStatus.COMPLETED]
        )


class AppointmentProposalQuerySet(QuerySet):
    def assigned_to(self, rep: "User") -> Self:
        """Return the rep's own proposals."""
        return self.filter(created_by=rep)

    def open(self) -> Self:
        return self.filter(status=ProposalStatus.OPEN)

    def with_contact(self) -> Self:
        """Annotate each with `contact`, the id of the appointment's contact."""
        return self.annotate(contact=F("appointment__contact"))


class MissedCallerQuerySet(OfContactQuerySet):
    def waiting(self) -> Self:
        """Return callers who were not reached yet."""
        return self.filter(recovered_at__isnull=True)

    def text_backs_due(self) -> Self:
        """Return callers whose text back is due, longest wait first."""
        return self.filter(text_back=TextBack.DUE).order_by("created_at", "id")

    def text_backs_failed(self, *, since: datetime) -> Self:
        """Return entries that were opened since then and got no text back because of an internal error."""
        return self.filter(text_back=TextBack.FAILED, created_at__gte=since)

    def open_or_recovered_after(self, at: datetime) -> Self:
        """Return entries that were open at `at` or opened later, earliest recovery first."""
        rows = self.filter(Q(recovered_at__isnull=True) | Q(recovered_at__gt=at))
        return rows.order_by(F("recovered_at").asc(nulls_last=True), "id")

    def active_at(self, at: datetime) -> Self:
        """Return the entry that was open at `at`."""
        return self.open_or_recovered_after(at).filter(first_missed_at__lt=at)

    def with_responses(self) -> Self:
        """Annotate the ids of the latest message and call to the caller, from the first missed call to the recovery."""
        # The contact is the company's. By a condition on that, SQLite would walk through all its activities.
        activities = apps.get_model("crm", "Activity")._base_manager
        until = Coalesce(OuterRef("recovered_at"), Now())
        outgoing = activities.filter(
            contact=OuterRef("contact"),
            direction=Direction.OUTGOING,
            created_at__range=(OuterRef("first_missed_at"), until),
        ).order_by("-created_at", "-id")
        return self.annotate(
            latest_message=Subquery(outgoing.filter(activity_type=ActivityType.MESSAGE).values("pk")[:1]),
            latest_call=Subquery(outgoing.filter(activity_type=ActivityType.CALL).values("pk")[:1]),
        )


class AttachmentQuerySet(QuerySet):
    def assigned_to(self, rep: "User") -> Self:
        """Return the files of the rep's calls and appointments, and of the messages and files of the rep's contacts."""
        own = contact_ids_of_rep(rep)
        return self.filter(
            Q(call__assigned_rep=rep)
            | Q(appointment__assigned_rep=rep)
            | Q(contact__in=own)
            | Q(activity__contact__in=own)
        )

    def due_to_fetch(self, now: datetime) -> Self:
        """Return the files that a worker is to fetch, the longest wait first."""
        return self.filter(status=AttachmentStatus.PENDING, run_at__lte=now).order_by("run_at", "id")

    def failed_since(self, moment: datetime) -> Self:
        """Return the files since `moment` that could not be fetched."""
        return self.filter(status=AttachmentStatus.FAILED, created_at__gte=moment)


class TimeOffQuerySet(QuerySet):
    def assigned_to(self, rep: "User") -> Self:
        return self.filter(rep=rep)

    def within(self, start: datetime, end: datetime) -> Self:
        """Return time off that is at least partly in [start, end)."""
        return self.filter(starts_at__gt=start - MAX_TIME_OFF, starts_at__lt=end, ends_at__gt=start)


class TaskQuerySet(QuerySet):
    def assigned_to(self, user: "User") -> Self:
        return self.filter(assignee=user)

    def open(self) -> Self:
        return self.filter(done_at__isnull=True)

    def due(self, kinds: Iterable[Due], *, zone: "ZoneInfo") -> Self:
        """Return open tasks that are due at one of these times, with today in `zone`."""
        now = timezone.now()
        end = bounds_of(None, today_in(zone), zone)[1]
        times = {
            Due.OVERDUE: Q(due_at__lt=now),
            Due.TODAY: Q(due_at__gte=now, due_at__lt=end),
            Due.LATER: Q(due_at__gte=end),
        }
        return self.open().filter(reduce(or_, (times[kind] for kind in kinds)))

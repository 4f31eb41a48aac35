"""The business's words for calls and visits. A query has a name, and it lives here."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import QuerySet

from calls.choices import AppointmentStatus, CallStatus

if TYPE_CHECKING:
    from crm.models import User


class CallQuerySet(QuerySet):
    def created_between(self, start: datetime | None, end: datetime | None) -> Self:
        """Calls that began at or after `start` and before `end`; None leaves that side open."""
        calls = self
        if start is not None:
            calls = calls.filter(created_at__gte=start)
        if end is not None:
            calls = calls.filter(created_at__lt=end)
        return calls

    def assigned_to(self, rep: "User") -> Self:
        return self.filter(assigned_rep=rep)

    def booked(self) -> Self:
        return self.filter(booked=True)

    def missed(self) -> Self:
        return self.filter(status=CallStatus.MISSED)

    def qualified(self) -> Self:
        """Calls with a lead."""
        return self.filter(lead__isnull=False)


class AppointmentQuerySet(QuerySet):
    def starting_between(self, start: datetime, end: datetime) -> Self:
        """Visits that start at or after `start` and before `end`."""
        return self.filter(scheduled_start__gte=start, scheduled_start__lt=end)

    def assigned_to(self, rep: "User") -> Self:
        return self.filter(assigned_rep=rep)

    def kept(self) -> Self:
        """Visits that count as booked: not cancelled, and nobody failed to show up."""
        return self.filter(
            status__in=[AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED, AppointmentStatus.COMPLETED]
        )

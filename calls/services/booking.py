"""Booking of appointments, and changes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from calls.choices import COMING, AppointmentStatus, ProposalStatus, Recovery
from calls.models import Appointment, AppointmentProposal, Call
from calls.models.overlap_triggers import REP_IS_FREE
from calls.services.missed_calls import mark_recovered
from calls.services.outcomes import book_call, cancel_call_without_appointments
from crm.error_codes import ErrorCode
from crm.models import Company, Contact, User
from crm.refusals import Refusal
from crm.refused_writes import is_refused_by
from crm.signals import appointment_booked

EARLIEST, LATEST = timedelta(days=366), timedelta(days=5 * 365 + 2)
MOVES = ("assigned_rep_id", "scheduled_start", "scheduled_end")


class SlotTaken(Refusal):
    """The rep has another appointment at that time. `other` is None if it was deleted in the meantime."""

    code = ErrorCode.SLOT_TAKEN

    def __init__(self, other: Appointment | None) -> None:
        self.other = other
        super().__init__(f"{_describe(other)} Choose another time or rep, or send allow_overlap: true.")


class StartOutOfRange(Refusal):
    """The start is too far away, probably a typing error such as a wrong year."""

    code, attr = ErrorCode.OUT_OF_RANGE, "scheduled_start"


class NotComing(Refusal):
    """The appointment is cancelled, completed or a no-show."""

    code = ErrorCode.NOT_COMING


def check_start(start: datetime) -> None:
    """Raise StartOutOfRange unless the start is within the last year or the next five."""
    today = now()
    if not today - EARLIEST <= start <= today + LATEST:
        raise StartOutOfRange("Must be within the last year or the next five years.")


def book_appointment(
    *,
    company: Company,
    contact: Contact,
    scheduled_start: datetime,
    scheduled_end: datetime,
    call: Call | None = None,
    timezone: str = "",
    user: User | None = None,
    **fields: Any,
) -> Appointment:
    """Create an appointment, by default in the company's time zone, and remove the contact from the missed queue.

    An appointment from a call shares the call's lead, created if missing, and the call's status follows.

    Args:
        user: who books it, and works on a lead that is made.

    Raises:
        SlotTaken: the rep has another appointment then, and `allow_overlap` is not given.
    """
    with transaction.atomic():
        appointment = Appointment(
            company=company,
            contact=contact,
            call=call,
            scheduled_start=scheduled_start,
            scheduled_end=scheduled_end,
            timezone=timezone or company.timezone,
            **fields,
        )
        if call:
            is_booked = appointment.status != AppointmentStatus.CANCELLED
            appointment.lead = book_call(call=call, user=user) if is_booked else call.lead
        with _slot_of(appointment):
            appointment.save(force_insert=True)
        mark_recovered(contact=contact, at=appointment.created_at, by=Recovery.BOOKING)
        if appointment.status != AppointmentStatus.CANCELLED:
            appointment_booked.send(sender=Appointment, contact_id=contact.pk, at=appointment.created_at)
        return appointment


def change_appointment(*, appointment: Appointment, user: User | None = None, **changes: Any) -> Appointment:
    """Change an appointment. Its call follows a cancellation, and a cancellation that is taken back.

    An appointment that gets another call books that one; the former call keeps its status.

    An overlap must be allowed again for each new time or rep. A move or an end withdraws an open proposal.

    Args:
        user: who changes it, and works on a lead that is made.

    Raises:
        SlotTaken: the rep has another appointment then, and `allow_overlap` is not given.
    """
    with transaction.atomic():
        appointment = Appointment.objects.select_for_update(of=("self",)).get(pk=appointment.pk)
        was_cancelled = appointment.status == AppointmentStatus.CANCELLED
        old_call = appointment.call_id
        slot = [getattr(appointment, name) for name in MOVES]
        for name, value in changes.items():
            setattr(appointment, name, value)
        is_cancelled = appointment.status == AppointmentStatus.CANCELLED
        is_moved = slot != [getattr(appointment, name) for name in MOVES] or (was_cancelled and not is_cancelled)
        written = {*changes}
        if is_moved:
            appointment.allow_overlap = changes.get("allow_overlap", False)
            appointment.on_the_way_at = None  # the contact was told of the former time, or the former rep
            written |= {"allow_overlap", "on_the_way_at"}
        if is_moved or appointment.status not in COMING:  # an accepted one is decided before
            AppointmentProposal.objects.open().filter(appointment=appointment).update(
                status=ProposalStatus.WITHDRAWN, decided_by=user, decided_at=now()
            )
        lead = appointment.lead
        if appointment.call and not is_cancelled and (was_cancelled or appointment.call_id != old_call):
            lead = book_call(call=appointment.call, user=user)
        elif appointment.call:
            lead = appointment.call.lead
        elif lead and lead.contact_id != appointment.contact_id:
            lead = None
        if lead != appointment.lead:
            appointment.lead = lead
            written.add("lead")
        with _slot_of(appointment):
            appointment.save(update_fields=written)
        if appointment.call and is_cancelled and not was_cancelled:
            cancel_call_without_appointments(call=appointment.call)
        # The database derives them and returns them on INSERT only.
        appointment.refresh_from_db(fields=["date", "time"])
        return appointment


@contextmanager
def _slot_of(appointment: Appointment) -> Iterator[None]:
    """Turn the refusal of the database into SlotTaken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not is_refused_by(error, REP_IS_FREE):
            raise
        others = Appointment.objects.overlapping(appointment).select_related("contact", "assigned_rep")
        raise SlotTaken(others.first()) from error


def _describe(other: Appointment | None) -> str:
    if other is None:
        return "The rep has another appointment at this time."
    return f"{other.assigned_rep} has appointment {other.pk} with {other.contact}, {other.date} at {other.time:%H:%M}."

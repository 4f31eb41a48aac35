"""Closed choices of the columns of this app. Each is stored as lower-case text and guarded by a CHECK constraint."""

from typing import Any, Self

from django.db.models import TextChoices


class CallStatus(TextChoices):
    """A call's status. A call has one at a time, so the dashboard's counts equal the list's filters.

    A new status needs a line here and a migration: constraints, rollup columns, API fields and badges follow.

    Attributes:
        booked: whether a call with this status counts as booked.
        progress: the order in which webhook events may advance a call; None for a status that only people and
            bookings set.
        color: the badge's colour in the admin, a class in crm/admin.css.
    """

    booked: bool
    progress: int | None
    color: str

    def __new__(cls, value: str, *row: Any) -> Self:
        status = str.__new__(cls, value)
        status._value_ = value
        status.booked, status.progress, status.color = row
        return status

    IN_PROGRESS = "in_progress", False, 0, "waiting", "In Progress"
    MISSED = "missed", False, 1, "bad", "Missed"
    # Answered without a booking, and every outgoing call without a booking.
    UNBOOKED = "unbooked", False, 2, "plain", "Unbooked"
    # Booked; no answer on the quote yet.
    AWAITING_QUOTE = "awaiting_quote", True, None, "waiting", "Awaiting Quote"
    STILL_DECIDING = "still_deciding", True, None, "waiting", "Still Deciding"
    PURCHASED = "purchased", True, None, "good", "Purchased"
    LOST = "lost", True, None, "bad", "Lost"
    CANCELLED = "cancelled", True, None, "plain", "Cancelled"


BOOKED = tuple(status for status in CallStatus if status.booked)


class AppointmentStatus(TextChoices):
    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class TextBack(TextChoices):
    """State of the automatic message to a missed caller."""

    OFF = "off"  # not configured, or too late to make sense
    DUE = "due"
    QUEUED = "queued"
    REFUSED = "refused", "Blocked"
    FAILED = "failed"  # by an internal error


class Recovery(TextChoices):
    """Kind of a missed caller's recovery."""

    REPLY = "reply", "Replied"
    CALL = "call", "Answered call"
    BOOKING = "booking", "Booked"
    MANUAL = "manual", "Marked by a user"

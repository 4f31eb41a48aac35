"""Closed choices of the columns of this app. Each is stored as lower-case text and guarded by a CHECK constraint."""

from typing import Any, Self

from django.db.models import TextChoices

from crm.choices import LeadStatus


class CallStatus(TextChoices):
    """A call's status. A call has one at a time, so the dashboard's counts equal the list's filters.

    A new status needs a line here and a migration: constraints, rollup columns, API fields, badges and docs/statuses.md
    follow.

    Attributes:
        booked: whether a call with this status counts as booked.
        lead: the status that the call's lead gets. QUALIFIED only takes an outcome back: it leaves a new lead as it is.
        when_booked: the status after an appointment was booked from the call.
        when_cancelled: the status after the call's last appointment was cancelled.
        progress: the order in which webhook events may advance a call; None for a status that only people and
            bookings set.
        color: the badge's colour in the admin, a class in crm/admin.css.
    """

    booked: bool
    lead: LeadStatus
    when_booked: str
    when_cancelled: str
    progress: int | None
    color: str

    def __new__(cls, value: str, *row: Any) -> Self:
        status = str.__new__(cls, value)
        status._value_ = value
        columns: Any = [value if column == "" else column for column in row]  # "" keeps the status
        status.booked, status.lead, status.when_booked, status.when_cancelled, status.progress, status.color = columns
        return status

    IN_PROGRESS = "in_progress", False, LeadStatus.QUALIFIED, "awaiting_quote", "", 0, "waiting", "In Progress"
    MISSED = "missed", False, LeadStatus.QUALIFIED, "awaiting_quote", "", 1, "bad", "Missed"
    # Answered without a booking, and every outgoing call without a booking.
    UNBOOKED = "unbooked", False, LeadStatus.QUALIFIED, "awaiting_quote", "", 2, "plain", "Unbooked"
    # Booked; no answer on the quote yet.
    AWAITING_QUOTE = "awaiting_quote", True, LeadStatus.BOOKED, "", "cancelled", None, "waiting", "Awaiting Quote"
    STILL_DECIDING = "still_deciding", True, LeadStatus.BOOKED, "", "cancelled", None, "waiting", "Still Deciding"
    PURCHASED = "purchased", True, LeadStatus.WON, "", "", None, "good", "Purchased"
    LOST = "lost", True, LeadStatus.LOST, "awaiting_quote", "", None, "bad", "Lost"
    CANCELLED = "cancelled", True, LeadStatus.QUALIFIED, "awaiting_quote", "", None, "plain", "Cancelled"


BOOKED = tuple(status for status in CallStatus if status.booked)


class AppointmentStatus(TextChoices):
    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


COMING = (AppointmentStatus.SCHEDULED, AppointmentStatus.CONFIRMED)


class ProposalStatus(TextChoices):
    """State of a proposal. An open one is decided once."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Due(TextChoices):
    """When an open task is due."""

    OVERDUE = "overdue"
    TODAY = "today", "Still due today"
    LATER = "later"


class AttachmentKind(TextChoices):
    """Kind of a file, by what it belongs to."""

    MESSAGE = "message"
    RECORDING = "recording"
    VOICEMAIL = "voicemail"
    UPLOAD = "upload"  # by a user


OF_CALLS = (AttachmentKind.RECORDING, AttachmentKind.VOICEMAIL)


class AttachmentStatus(TextChoices):
    PENDING = "pending"  # at the provider, and a worker fetches it
    STORED = "stored"
    FAILED = "failed"


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

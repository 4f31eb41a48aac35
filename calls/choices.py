"""The values that a column may hold, stored as this lower-case text and guarded by a CHECK."""

from django.db.models import TextChoices


class CallStatus(TextChoices):
    """One at a time, so that the dashboard's counts equal the list's filters."""

    IN_PROGRESS = "in_progress"
    MISSED = "missed"
    UNBOOKED = "unbooked"  # answered, nothing booked; also any outgoing call that booked nothing
    AWAITING_QUOTE = "awaiting_quote"  # booked, no answer on the quote yet
    STILL_DECIDING = "still_deciding"
    PURCHASED = "purchased"
    LOST = "lost"
    CANCELLED = "cancelled"


BOOKED = (
    CallStatus.AWAITING_QUOTE,
    CallStatus.STILL_DECIDING,
    CallStatus.PURCHASED,
    CallStatus.LOST,
    CallStatus.CANCELLED,
)


class AppointmentStatus(TextChoices):
    SCHEDULED = "scheduled"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class TextBack(TextChoices):
    """The automatic text to a missed caller."""

    OFF = "off"  # not wanted, or too late to make sense
    DUE = "due"
    QUEUED = "queued"
    REFUSED = "refused"


class Recovery(TextChoices):
    """How a missed caller was reached."""

    REPLY = "reply", "They texted"
    CALL = "call", "They were talked to"
    BOOKING = "booking", "They booked"
    MANUAL = "manual", "Somebody of us said so"

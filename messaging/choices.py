"""The values that a column may hold, stored as this lower-case text and guarded by a CHECK."""

from django.db.models import TextChoices


class MessageStatus(TextChoices):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    RECEIVED = "received"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"


class MessageKind(TextChoices):
    """Why we send a text. All but a reply keep quiet hours."""

    REPLY = "reply"
    CAMPAIGN = "campaign"
    REMINDER = "reminder"
    MISSED_CALL = "missed_call", "Missed call"
    CONFIRMATION = "confirmation", "Confirmation of an opt-out or opt-in"


class EventStatus(TextChoices):
    """How far a stored delivery got."""

    PENDING = "pending"
    PROCESSED = "processed"
    IGNORED = "ignored"  # understood well enough to know that nothing is to be done about it (yet)
    DEAD = "dead"  # can't be read, or failed too often: waits for a person


DONE = (EventStatus.PROCESSED, EventStatus.IGNORED)

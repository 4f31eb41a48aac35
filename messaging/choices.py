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


class EventStatus(TextChoices):
    """How far a stored delivery got."""

    PENDING = "pending"
    PROCESSED = "processed"
    IGNORED = "ignored"  # understood well enough to know that nothing is to be done about it (yet)
    DEAD = "dead"  # can't be read, or failed too often: waits for a person

"""Column choices, stored in lower case and enforced by CHECK constraints."""

from enum import StrEnum

from django.db.models import TextChoices


class MessageStatus(TextChoices):
    QUEUED = "queued"
    HELD = "held"  # until a person releases or cancels it
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    RECEIVED = "received"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"


# The provider was called, or is being called, and hasn't said whether it sends the message.
OUTCOME_UNKNOWN = (MessageStatus.SENDING, MessageStatus.UNKNOWN)
# It never arrived.
LOST = (MessageStatus.FAILED, MessageStatus.UNDELIVERED)

# States of outgoing messages as people see them: a label and the statuses.
TEXT_STATES = {
    "sent": ("Sent", (MessageStatus.SENT, MessageStatus.DELIVERED)),
    "waiting": ("Waiting", (MessageStatus.QUEUED, MessageStatus.HELD, *OUTCOME_UNKNOWN)),
    "lost": ("Not delivered", LOST),
}


class OwnCode(StrEnum):
    """Values of a message's `error_code` that are the product's own. All others are the providers' and carriers'."""

    CANCELLED = "cancelled"  # a person has cancelled it: `failed`, but not lost
    REPLIED = "replied"  # it is held, because the contact has replied


class MessageKind(TextChoices):
    """The reason for an outgoing message. Quiet hours apply to all but replies and confirmations."""

    REPLY = "reply"
    SCHEDULED = "scheduled", "Scheduled by a user"
    CAMPAIGN = "campaign"
    REMINDER = "reminder"
    MISSED_CALL = "missed_call", "Missed call"
    ON_THE_WAY = "on_the_way", "On the way to an appointment"
    CONFIRMATION = "confirmation", "Confirmation of an opt-out or opt-in"


# These leave at once or not at all: later they would confuse. They come before all others.
AT_ONCE = (MessageKind.REPLY, MessageKind.CONFIRMATION, MessageKind.ON_THE_WAY)
# All others are the product's own.
WRITTEN_BY_USERS = (MessageKind.REPLY, MessageKind.SCHEDULED)


class ReminderStatus(TextChoices):
    """State of a reminder. What became of its message is the message's status."""

    PENDING = "pending"
    QUEUED = "queued"
    SKIPPED = "skipped"


class ReminderAnswer(TextChoices):
    """The contact's answer to a reminder."""

    CONFIRMED = "confirmed"
    RESCHEDULE = "reschedule", "Asks for another time"


class EventStatus(TextChoices):
    """The processing status of a webhook event."""

    PENDING = "pending"
    PROCESSED = "processed"
    IGNORED = "ignored"  # nothing to record (yet)
    DEAD = "dead"  # invalid, or failed too often: needs attention


DONE = (EventStatus.PROCESSED, EventStatus.IGNORED)

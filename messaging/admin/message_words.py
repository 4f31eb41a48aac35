"""Plain lines about messages: why one has not left, and when it will."""

from datetime import datetime
from zoneinfo import ZoneInfo

from messaging.choices import MessageStatus, OwnCode
from messaging.models import Message

GOOD, BAD, WAITING, PLAIN = "good", "bad", "waiting", "plain"
# The word and the colour of an outgoing message's badge.
STATES = {
    MessageStatus.QUEUED: ("Waits", WAITING),
    MessageStatus.HELD: ("Held", WAITING),
    MessageStatus.SENDING: ("Is leaving", WAITING),
    MessageStatus.UNKNOWN: ("May have left", WAITING),
    MessageStatus.SENT: ("Sent", PLAIN),
    MessageStatus.DELIVERED: ("Delivered", GOOD),
    MessageStatus.RECEIVED: ("Received", PLAIN),
    MessageStatus.FAILED: ("Not sent", BAD),
    MessageStatus.UNDELIVERED: ("Not delivered", BAD),
}


def say_state(message: Message, *, zone: ZoneInfo, now: datetime) -> str:
    """Return one line: what became of the message, or why it has not left and when it will. Empty if all is well."""
    match message.status:
        case MessageStatus.QUEUED:
            return _say_wait(message, zone, now)
        case MessageStatus.HELD:
            return f"A person must decide. {message.error}".strip()
        case MessageStatus.SENDING:
            return "The provider is being called."
        case MessageStatus.UNKNOWN:
            at = f" at {say_time(message.run_at, zone)}" if message.run_at and message.run_at > now else " now"
            return f"The provider gave no answer, so it may have left. It is looked up in the provider's list{at}."
        case MessageStatus.FAILED:
            return f"It didn't leave. {_reason(message)}"
        case MessageStatus.UNDELIVERED:
            return f"It left, and the carrier didn't deliver it. {_reason(message)}"
    return ""


def say_time(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _say_wait(message: Message, zone: ZoneInfo, now: datetime) -> str:
    line = message.phone_line
    if line and line.paused_until and line.paused_until > now:
        until = say_time(max(line.paused_until, message.run_at or now), zone)
        reason = line.pause_reason or "the provider rejects messages"
        return f"Its phone line is paused: {reason}. It leaves from {until} on."
    if message.run_at and message.run_at > now:
        return f"It leaves at {say_time(message.run_at, zone)}. {message.error}".strip()
    return f"It leaves with its line's next batch, within seconds while a worker runs. {message.error}".strip()


def _reason(message: Message) -> str:
    reason = message.error or "No reason was given."
    has_code = message.error_code and message.error_code not in list(OwnCode)  # an own one only repeats the reason
    return f"{reason} (code {message.error_code})" if has_code else reason

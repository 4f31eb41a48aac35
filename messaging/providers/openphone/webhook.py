"""OpenPhone, called Quo since 2025: every generation of its deliveries.

Field lists: the provider's webhook documentation (v4 and 2026-03-30) and captured deliveries of the older app (v2, v3).
The generations differ in where a thing stands more than in what it says:

    app v2, v3      data.object with `from`, `to` (a text; of a group, joined by commas), `body`
    API v4          data.object with `from`, `to` (a list), `text`; calls have `participants` and don't say who is who
    2026-03-30      data.resource, and around it data.context with the line and the numbers; seen without `data`, too
"""

from collections.abc import Callable
from datetime import datetime

from messaging.providers.events import Envelope, Event, UnknownType
from messaging.providers.openphone.call_texts import read_summary, read_transcript
from messaging.providers.openphone.calls import (
    read_answered_call,
    read_call,
    read_completed_call,
    read_recorded_call,
    read_voicemail,
)
from messaging.providers.openphone.contacts import read_contact
from messaging.providers.openphone.envelopes import OpenedEnvelope, open_envelope, read_envelope, sign
from messaging.providers.openphone.messages import read_message
from messaging.providers.openphone.signature import SECRET, check_secret, generate_secret, verify_signature

__all__ = [
    "SECRET",
    "check_secret",
    "generate_secret",
    "is_handled",
    "read_envelope",
    "read_event",
    "sign",
    "verify_signature",
]

_READERS: dict[str, Callable[[OpenedEnvelope], Event]] = {
    "message.received": read_message,
    "message.delivered": read_message,
    "message.failed": read_message,
    "message.undelivered": read_message,
    "call.ringing": read_call,
    "call.forwarded": read_call,
    "call.menu.selected": read_call,
    "call.answered": read_answered_call,
    "call.completed": read_completed_call,
    "call.missed": read_completed_call,
    "call.recording.completed": read_recorded_call,
    "call.voicemail.completed": read_voicemail,
    "call.summary.completed": read_summary,
    "call.transcript.completed": read_transcript,
    "contact.updated": read_contact,
    "contact.deleted": read_contact,
}


def is_handled(event_type: str) -> bool:
    """Whether anything is done about events of this type."""
    return event_type in _READERS


def read_event(envelope: Envelope, *, received_at: datetime | None = None) -> Event:  # noqa: ARG001  # it tells times
    """The event in our words.

    Raises:
        NotHandled: nothing is done about events of this type, or there is nothing in this one.
        FieldError: a field is missing or can't be read; names it.
    """
    reader = _READERS.get(envelope.type)
    if reader is None:
        raise UnknownType(envelope.type)
    return reader(open_envelope(envelope))

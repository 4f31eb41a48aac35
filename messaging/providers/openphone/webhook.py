"""Webhook events of OpenPhone (named Quo since 2025), in every generation.

Sources: the provider's webhook documentation (v4 and 2026-03-30) and captured requests of the older app (v2, v3).
The generations differ mainly in the place of a field:

    app v2, v3      data.object with `from`, `to` (a string; in a group, comma-separated), `body`
    API v4          data.object with `from`, `to` (a list), `text`; calls have unsorted `participants`
    2026-03-30      data.resource, with data.context for the line and the numbers; also seen without `data`
"""

from collections.abc import Callable
from datetime import datetime

from messaging.providers.errors import UnknownType
from messaging.providers.events import Envelope, Event
from messaging.providers.openphone.call_summaries import read_summary, read_transcript
from messaging.providers.openphone.calls import (
    read_answered_call,
    read_call,
    read_completed_call,
    read_recorded_call,
    read_voicemail,
)
from messaging.providers.openphone.contacts import read_contact
from messaging.providers.openphone.envelope import EventParts, split_envelope
from messaging.providers.openphone.envelope import read_envelope as read_envelope
from messaging.providers.openphone.messages import find_incoming_text as find_incoming_text
from messaging.providers.openphone.messages import read_message

_READERS: dict[str, Callable[[EventParts], Event]] = {
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
EVENT_TYPES = frozenset(_READERS)


def read_event(envelope: Envelope, *, received_at: datetime) -> Event:
    """Return the event in the common vocabulary.

    Raises:
        NotHandled: events of this type are not recorded, or this one has no content.
        FieldError: a field is missing or invalid.
    """
    reader = _READERS.get(envelope.type)
    if reader is None:
        raise UnknownType(envelope.type)
    return reader(split_envelope(envelope, received_at=received_at))

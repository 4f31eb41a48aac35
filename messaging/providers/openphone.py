"""OpenPhone, called Quo since 2025: every generation of its deliveries.

Field lists: the provider's webhook documentation (v4 and 2026-03-30) and captured deliveries of the older app (v2, v3).
The generations differ in where a thing stands more than in what it says:

    app v2, v3      data.object with `from`, `to` (a text; of a group, joined by commas), `body`
    API v4          data.object with `from`, `to` (a list), `text`; calls have `participants` and don't say who is who
    2026-03-30      data.resource, and around it data.context with the line and the numbers; seen without `data`, too
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.bodies import REPLACEMENT, read_json
from messaging.providers.events import CallEvent, Envelope, FieldError, MessageEvent, NotHandled

MAX_EVENT_ID, MAX_EVENT_TYPE, MAX_FILE_URL = 200, 100, 500  # as the columns have them

# The provider's own samples of these two carry the kind of object in place of the event that was subscribed to.
SPELLINGS = {"callSummary": "call.summary.completed", "callTranscript": "call.transcript.completed"}
ANSWERED = ("answered", "ai-handled", "forwarded")


def read_envelope(body: bytes) -> Envelope:
    """What kind of event a delivery is, and which.

    Raises:
        Unreadable: the body is no JSON object, or names no type.
    """
    content, remark = read_json(body)
    if "type" not in content and isinstance(content.get("object"), dict):
        content = content["object"]  # a relay wraps the whole event
    event_type = content.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise FieldError("type", "a delivery must say what kind of event it is.")
    event_type = SPELLINGS.get(event_type, event_type)[:MAX_EVENT_TYPE]
    return Envelope(id=plain_id(content.get("id")), type=event_type, content=content, remark=remark)


def plain_id(value: Any) -> str:
    """An event's id if it is one that can be stored as it is, else ""."""
    usable = isinstance(value, str) and len(value) <= MAX_EVENT_ID and value.isprintable() and REPLACEMENT not in value
    return value.strip() if usable else ""


def is_current(content: dict[str, Any]) -> bool:
    """Whether an event has the shape of 2026-03-30, which is signed in another way than those before."""
    data = content.get("data")
    return "resource" in content or (isinstance(data, dict) and "resource" in data)


def is_handled(event_type: str) -> bool:
    """Whether anything is done about events of this type."""
    return event_type in _READERS


def read_event(envelope: Envelope) -> MessageEvent | CallEvent:
    """The event in our words.

    Raises:
        NotHandled: nothing is done about events of this type yet.
        FieldError: a field is missing or can't be read; names it.
    """
    reader = _READERS.get(envelope.type)
    if reader is None:
        raise NotHandled(envelope.type)
    resource, context = _resource_and_context(envelope.content)
    # Without a time of its own it happened when the provider says that its event did.
    created_at = fields.instant(resource, "createdAt") or fields.instant(envelope.content, "createdAt")
    if created_at is None:
        raise FieldError("createdAt", "missing")
    return reader(resource, context, created_at)


def _resource_and_context(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    data = content if "resource" in content else content.get("data")
    data = data if isinstance(data, dict) else {}
    resource = data.get("resource") or data.get("object")
    if not isinstance(resource, dict):
        raise FieldError("data", "neither `object` nor `resource` is there")
    context = data.get("context")
    return resource, context if isinstance(context, dict) else {}


def _message(
    resource: dict[str, Any], context: dict[str, Any], created_at: datetime, *, direction: str, status: str
) -> MessageEvent:
    sender = fields.numbers(context, "senderIdentifier") or fields.numbers(resource, "from")
    recipients = fields.numbers(context, "recipientIdentifiers") or fields.numbers(resource, "to")
    incoming = direction == Direction.INCOMING
    return MessageEvent(
        openphone_id=fields.identifier(resource, "id"),
        line_id=_line_id(resource, context),
        our_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=direction,
        created_at=created_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(resource, "text") or fields.text(resource, "body"),
        media=fields.attachments(resource, "media"),
        status=status,
    )


def _call_completed(resource: dict[str, Any], context: dict[str, Any], created_at: datetime) -> CallEvent:
    direction = fields.text(resource, "direction")
    if direction not in Direction.values:
        raise FieldError("direction", f"must be one of: {', '.join(Direction.values)}")
    our_numbers, outside_numbers = _call_numbers(resource, context, direction)
    answered_at = fields.instant(resource, "answeredAt")
    completed_at = fields.instant(resource, "completedAt")
    answered = answered_at is not None or fields.text(resource, "status") in ANSWERED
    duration_s = fields.seconds(resource, "duration") if answered else None
    if duration_s is None and answered_at and completed_at:
        duration_s = max(0, round((completed_at - answered_at).total_seconds()))
    return CallEvent(
        openphone_id=fields.identifier(resource, "id"),
        line_id=_line_id(resource, context),
        our_numbers=our_numbers,
        outside_numbers=outside_numbers,
        direction=direction,
        created_at=created_at,
        answered=answered,
        answered_at=answered_at,
        completed_at=completed_at,
        duration_s=duration_s,
        recording_url=_file_url(resource, "media"),
        voicemail_url=_file_url(resource, "voicemail"),
    )


def _line_id(resource: dict[str, Any], context: dict[str, Any]) -> str:
    place = context if context.get("phoneNumberId") else resource
    return fields.identifier(place, "phoneNumberId") if place.get("phoneNumberId") else ""


def _file_url(resource: dict[str, Any], field: str) -> str:
    files = fields.attachments(resource, field)
    return next((file["url"] for file in files if len(file["url"]) <= MAX_FILE_URL), "")


def _call_numbers(
    resource: dict[str, Any], context: dict[str, Any], direction: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ours and the outside ones. API v4 doesn't say which is which: then both are all participants."""
    told = context.get("participants")
    if isinstance(told, dict):
        return fields.numbers(told, "workspace"), fields.numbers(told, "external")
    if "participants" in resource:
        participants = fields.numbers(resource, "participants")
        return participants, participants
    caller, called = fields.numbers(resource, "from"), fields.numbers(resource, "to")
    return (called, caller) if direction == Direction.INCOMING else (caller, called)


_Reader = Callable[[dict[str, Any], dict[str, Any], datetime], MessageEvent | CallEvent]
_READERS: dict[str, _Reader] = {
    # Not the status that the delivery gives: a documented sample calls an incoming text "delivered".
    "message.received": partial(_message, direction=Direction.INCOMING, status=MessageStatus.RECEIVED),
    "message.delivered": partial(_message, direction=Direction.OUTGOING, status=MessageStatus.DELIVERED),
    "call.completed": _call_completed,
}

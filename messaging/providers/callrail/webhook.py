"""CallRail's webhook events: calls and messages of tracking numbers.

Sources: the provider's help pages and captured requests. The body is JSON or a form; missing fields are "", and
booleans may be words. No field states the type of event. It follows from the fields that are present:

    text_message    `source_number` and `destination_number`
    post_call       a call with `answered` or `duration`: it has ended, or was modified later
    pre_call        a call without them: it is ringing
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from crm.choices import Direction
from crm.instants import LAST_INSTANT
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.errors import FieldError, UnknownType
from messaging.providers.events import CallEvent, Envelope, Event, MessageEvent
from messaging.providers.payloads import is_form, read_form, read_json, storable_id

EVENT_TYPES = frozenset({"text_message", "post_call", "pre_call"})
DIRECTIONS = {"inbound": Direction.INCOMING, "outbound": Direction.OUTGOING}
# The second name of each is older and still sent.
CUSTOMER, TRACKING = ("customer_phone_number", "callernum"), ("tracking_phone_number", "trackingnum")
START = ("start_time", "timestamp", "datetime", "created_at")


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """Return the id, type and content of a webhook event. Raises InvalidPayload.

    The id is the call's or message's id with a hash of the body. A modified call or message is sent again under its id
    with other content, and is a new event. The same content is a duplicate.
    """
    content, warning = (read_form if is_form(headers) else read_json)(body)
    resource_id = storable_id(content.get("resource_id"))
    return Envelope(
        id=storable_id(f"{resource_id}:{sha256(body).hexdigest()[:32]}") if resource_id else "",
        type=_type_of(content),
        content=content,
        warning=warning,
    )


def read_event(envelope: Envelope, *, received_at: datetime) -> Event:
    """Return the event in the common vocabulary. Raises UnknownType, or FieldError with the field's name."""
    if envelope.type not in EVENT_TYPES:
        raise UnknownType(envelope.type)
    if envelope.type == "text_message":
        return _message(envelope.content, received_at)
    return _call(envelope.content, received_at, ended=envelope.type == "post_call")


def _type_of(content: dict[str, Any]) -> str:
    if content.get("source_number") and content.get("destination_number"):
        return "text_message"
    if not _first(content, *CUSTOMER, *TRACKING):
        return "unknown"
    has_ended = any(content.get(name) not in (None, "") for name in ("answered", "duration"))
    return "post_call" if has_ended else "pre_call"


def _message(content: dict[str, Any], received_at: datetime) -> MessageEvent:
    # Without a direction, only outgoing messages name an agent.
    direction = _direction(content) or (
        Direction.OUTGOING if fields.text(content, "agent").strip() else Direction.INCOMING
    )
    sender, recipients = fields.numbers(content, "source_number"), fields.numbers(content, "destination_number")
    incoming = direction == Direction.INCOMING
    return MessageEvent(
        openphone_id=fields.identifier(content, "resource_id"),
        line_id="",
        company_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=direction,
        created_at=fields.instant(content, _first(content, *START) or START[0]) or received_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(content, "content"),
        media=(),
        status=MessageStatus.RECEIVED if incoming else MessageStatus.SENT,
    )


def _call(content: dict[str, Any], received_at: datetime, *, ended: bool) -> CallEvent:
    outgoing = fields.text(content, "call_type") == "outbound"
    direction = _direction(content) or (Direction.OUTGOING if outgoing else Direction.INCOMING)
    left_voicemail = bool(fields.boolean(content, "voicemail"))
    answered = ended and bool(fields.boolean(content, "answered")) and not left_voicemail
    created_at = fields.instant(content, _first(content, *START) or START[0]) or received_at
    length_s = fields.seconds(content, "duration")  # from the first ring, also for abandoned calls
    recordings = fields.attachments(content, "recording")
    return CallEvent(
        openphone_id=fields.identifier(content, "resource_id"),
        line_id="",  # a tracker may be a pool of numbers: only the number identifies the line
        company_numbers=fields.numbers(content, _first(content, *TRACKING) or TRACKING[0]),
        outside_numbers=fields.numbers(content, _first(content, *CUSTOMER) or CUSTOMER[0]),
        direction=direction,
        created_at=created_at,
        answered=answered,
        ended=ended,
        answered_at=None,
        completed_at=_end_of(created_at, length_s) if ended else None,
        duration_s=length_s if answered else None,
        recordings=() if left_voicemail else recordings,
        voicemail_url=fields.file_url(content, "recording") if left_voicemail else "",
        outside_name=fields.text(content, "customer_name").strip(),
    )


def _end_of(start: datetime, length_s: int | None) -> datetime | None:
    end = None if length_s is None else start + timedelta(seconds=length_s)
    return end if end and end <= LAST_INSTANT else None


def _direction(content: dict[str, Any]) -> str:
    direction = fields.text(content, "direction").strip().lower()
    if direction and direction not in DIRECTIONS:
        raise FieldError("direction", f"must be one of: {', '.join(DIRECTIONS)}")
    return DIRECTIONS[direction] if direction else ""


def _first(content: dict[str, Any], *names: str) -> str:
    """Return the name of the first field that has a value; "" if none has."""
    return next((name for name in names if content.get(name) not in (None, "")), "")

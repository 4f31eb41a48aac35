"""CallRail's webhook events: calls and messages of tracking numbers.

Sources: the provider's help pages and captured requests. The body is JSON or a form; missing fields are "", and
booleans may be words. An event's type is the kind in the webhook's URL, else the one stated in `type`, else it follows
from documented sets of fields:

    form_submission   the form's own fields, or an id that begins with FRM
    text_message      `source_number`, `destination_number` and `content`
    post_call         a call with a sign of its end: it has ended, was modified later, or is outgoing
    routed_call       a call that was answered and has lasted 0 seconds
    pre_call          a call that wasn't answered and has lasted 0 seconds, even if `call_type` is missed; or the id and
                      numbers of a call alone
    call_in_an_unknown_state   any other call: it may ring or have ended
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from crm.choices import Direction
from crm.instants import LAST_INSTANT
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.errors import FieldError, UnknownType
from messaging.providers.events import CallEvent, Envelope, Event, IncomingText, MessageEvent
from messaging.providers.payloads import ROUTE, find_header, is_form, read_form, read_json, read_whatever, storable_id

EVENT_TYPES = frozenset({"text_message", "post_call", "routed_call", "pre_call"})
DIRECTIONS = {"inbound": Direction.INCOMING, "outbound": Direction.OUTGOING}
# The second name of each is older and still sent.
CUSTOMER, TRACKING = ("customer_phone_number", "callernum"), ("tracking_phone_number", "trackingnum")
START = ("start_time", "timestamp", "datetime", "created_at")
IDS = ("resource_id", "id")  # older webhooks and the API have the second only
FORM = ("form_data", "form_url", "submitted_at")
OUTCOME = ("answered", "duration", "call_type", "voicemail")
TEXT = ("source_number", "destination_number", "content")
# Before a call's end its type is "missed" already.
ENDED_CALL_TYPES = ("abandoned", "voicemail", "outbound")
# Beginnings of `type` and of the URL's last part, such as "outboundpostcall" or "post-call".
STATED_TYPES = {
    "precall": "pre_call",
    "postcall": "post_call",
    "callmodified": "post_call",
    "routing": "routed_call",
    "form": "form_submission",
    "text": "text_message",
    "sms": "text_message",
}
_PREFIX = "(?:inbound|outbound|call)?"


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """Return the id, type and content of a webhook event. Raises InvalidPayload.

    The id is the call's or message's id with a hash of the body. A modified call or message is sent again under its id
    with other content, and is a new event. The same content is a duplicate.
    """
    content, warning = (read_form if is_form(headers) else read_json)(body)
    openphone_id = storable_id(_ids(content).get(_first(content, *IDS)))
    kind = _stated_type(find_header(headers, ROUTE).partition("/callrail/")[2].partition("/")[2])
    return Envelope(
        id=storable_id(f"{openphone_id}:{sha256(body + kind.encode()).hexdigest()[:32]}") if openphone_id else "",
        type=kind or _stated_type(content.get("type")) or _type_by_fields(content),
        content=content,
        warning=warning,
    )


def read_event(envelope: Envelope, *, received_at: datetime) -> Event:
    """Return the event in the common vocabulary. Raises UnknownType, or FieldError with the field's name."""
    if envelope.type not in EVENT_TYPES:
        raise UnknownType(envelope.type)
    if envelope.type == "text_message":
        return _message(envelope.content, received_at)
    return _call(envelope.content, received_at, envelope.type)


def find_incoming_text(body: bytes, headers: Mapping[str, str]) -> IncomingText | None:
    """Return sender and text of an incoming message, even of an invalid event. None if either can't be read."""
    content = read_whatever(body, headers)
    senders = fields.first_readable(fields.numbers, (content, "source_number"))
    text = fields.first_readable(fields.words, (content, "content"))
    is_outgoing = str(content.get("direction")).strip().lower() == "outbound" or bool(content.get("agent"))
    if is_outgoing or not senders or not text:
        return None
    created_at = fields.first_readable(fields.instant, *((content, name) for name in START))
    return IncomingText(from_number=senders[0], body=text, created_at=created_at)


def _stated_type(value: Any) -> str:
    """Return the type that a text states; "" if it states none."""
    stated = re.sub("[^a-z]", "", str(value or "").lower())
    return next((name for part, name in STATED_TYPES.items() if re.match(_PREFIX + part, stated)), "")


def _type_by_fields(content: dict[str, Any]) -> str:
    openphone_id = str(content.get(_first(content, *IDS)) or "")
    if openphone_id.startswith("FRM") or _first(content, *FORM):
        return "form_submission"
    if all(name in content for name in TEXT) and all(content[name] for name in TEXT[:2]):
        return "text_message"
    is_call = openphone_id.startswith("CAL") or any(name in content for name in OUTCOME)
    return call_type_of(content) if is_call and _first(content, *TRACKING) else "unknown"


def call_type_of(content: dict[str, Any]) -> str:
    """Return the type of a call's event by its fields: see the top."""
    length_s = fields.seconds(content, "duration")
    if length_s or _has_sign_of_its_end(content):
        return "post_call"
    if length_s == 0 and "answered" in content:
        return "routed_call" if _is_true(content["answered"]) else "pre_call"
    return "call_in_an_unknown_state" if any(name in content for name in OUTCOME) else "pre_call"


def _has_sign_of_its_end(content: dict[str, Any]) -> bool:
    transcripts = (content.get("transcription"), content.get("conversational_transcript"))
    return bool(
        _is_true(content.get("voicemail"))
        or str(content.get("call_type")).strip().lower() in ENDED_CALL_TYPES
        or str(content.get("direction")).strip().lower() == "outbound"  # reported after its end only
        or fields.attachments(content, "recording")
        or any(isinstance(text, str) and text.strip() for text in transcripts)
    )


def _message(content: dict[str, Any], received_at: datetime) -> MessageEvent:
    # Without a direction, only outgoing messages name an agent.
    direction = _direction(content) or (
        Direction.OUTGOING if fields.text(content, "agent").strip() else Direction.INCOMING
    )
    sender, recipients = fields.numbers(content, "source_number"), fields.numbers(content, "destination_number")
    incoming = direction == Direction.INCOMING
    return MessageEvent(
        openphone_id=_openphone_id(content),
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


def _call(content: dict[str, Any], received_at: datetime, event_type: str) -> CallEvent:
    ended = event_type == "post_call"
    outgoing = fields.text(content, "call_type") == "outbound"
    direction = _direction(content) or (Direction.OUTGOING if outgoing else Direction.INCOMING)
    left_voicemail = bool(fields.boolean(content, "voicemail"))
    answered = event_type != "pre_call" and bool(fields.boolean(content, "answered")) and not left_voicemail
    created_at = fields.instant(content, _first(content, *START) or START[0]) or received_at
    length_s = fields.seconds(content, "duration")  # from the first ring, also for abandoned calls
    recordings = fields.attachments(content, "recording")
    return CallEvent(
        openphone_id=_openphone_id(content),
        line_id="",  # a tracker may be a pool of numbers: only the number identifies the line
        company_numbers=fields.numbers(content, _first(content, *TRACKING) or TRACKING[0]),
        outside_numbers=fields.numbers(content, _first(content, *CUSTOMER) or CUSTOMER[0]),
        direction=direction,
        created_at=created_at,
        answered=answered,
        ended=ended,
        answered_at=None,
        completed_at=_end_of(created_at, length_s) if ended else None,
        duration_s=length_s if answered and ended else None,
        recordings=() if left_voicemail else recordings,
        voicemail_url=fields.file_url(content, "recording") if left_voicemail else "",
        voicemail_transcript=fields.text(content, "transcription").strip() if left_voicemail else "",
        outside_name=fields.text(content, "customer_name").strip(),
    )


def _ids(content: dict[str, Any]) -> dict[str, Any]:
    """Return the ids; older ones are numbers."""
    sent = {name: content.get(name) for name in IDS}
    return {name: str(value) if type(value) is int else value for name, value in sent.items()}


def _openphone_id(content: dict[str, Any]) -> str:
    return fields.identifier(_ids(content), _first(content, *IDS) or IDS[0])


def _end_of(start: datetime, length_s: int | None) -> datetime | None:
    end = None if length_s is None else start + timedelta(seconds=length_s)
    return end if end and end <= LAST_INSTANT else None


def _direction(content: dict[str, Any]) -> str:
    direction = fields.text(content, "direction").strip().lower()
    if direction and direction not in DIRECTIONS:
        raise FieldError("direction", f"must be one of: {', '.join(DIRECTIONS)}")
    return DIRECTIONS[direction] if direction else ""


def _is_true(value: Any) -> bool:
    return value is True or str(value).strip().lower() == "true"


def _first(content: dict[str, Any], *names: str) -> str:
    """Return the name of the first field that has a value; "" if none has."""
    return next((name for name in names if content.get(name) not in (None, "")), "")

"""CallRail: calls and texts over tracking numbers.

Field lists: the provider's help pages and captured deliveries. JSON, or the same as a form; what is missing is "", and
booleans may be words. No field says what kind of event it is, so that it is told by what is there:

    text_message    `source_number` and `destination_number`
    post_call       a call with `answered` or `duration`: it is over, or its entry was modified later
    pre_call        a call without them: it rings
"""

import secrets as randomness
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.events import CallEvent, Envelope, Event, FieldError, MessageEvent, UnknownType
from messaging.providers.payloads import find_header, is_form, plain_id, read_form, read_json
from messaging.providers.signatures import check_token, demand_match, digest

SECRET = "the secret token of the company"  # noqa: S105  # its name
DIRECTIONS = {"inbound": Direction.INCOMING, "outbound": Direction.OUTGOING}
# The second of each is the older name, whose copies are still sent.
CUSTOMER, TRACKING = ("customer_phone_number", "callernum"), ("tracking_phone_number", "trackingnum")
START = ("start_time", "timestamp", "datetime", "created_at")

check_secret = check_token


def generate_secret() -> str:
    return randomness.token_hex(16)


def sign(*, secret: str, body: bytes, url: str, now: float) -> dict[str, str]:  # noqa: ARG001  # the interface of all
    """The headers of a delivery in JSON."""
    return {"content-type": "application/json", "signature": _signature(secret, body)}


def verify_signature(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Iterable[str],
    url: str,  # noqa: ARG001  # the interface of all
    now: float,  # noqa: ARG001  # it signs no time
) -> None:
    """Returns if one of the secrets signed the raw body: HMAC-SHA1, the key as it is written. Raises BadSignature."""
    given = find_header(headers, "signature")
    demand_match((_signature(secret, body), given) for secret in secrets)


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """What kind of event a delivery is, and which.

    Its id is the call's or text's with a hash of the body: when an entry is modified it is delivered again under the
    same id with other content, and that is news; the same content is not. Raises Unreadable.
    """
    content, remark = (read_form if is_form(headers) else read_json)(body)
    resource_id = plain_id(content.get("resource_id"))
    return Envelope(
        id=plain_id(f"{resource_id}:{sha256(body).hexdigest()[:32]}") if resource_id else "",
        type=_type_of(content),
        content=content,
        remark=remark,
    )


def is_handled(event_type: str) -> bool:
    """Whether anything is done about events of this type."""
    return event_type in ("text_message", "post_call", "pre_call")


def read_event(envelope: Envelope, *, received_at: datetime) -> Event:
    """The event in our words. Raises UnknownType, or FieldError naming the field."""
    if not is_handled(envelope.type):
        raise UnknownType(envelope.type)
    if envelope.type == "text_message":
        return _message(envelope.content, received_at)
    return _call(envelope.content, received_at, over=envelope.type == "post_call")


def _type_of(content: dict[str, Any]) -> str:
    if content.get("source_number") and content.get("destination_number"):
        return "text_message"
    if not _first(content, *CUSTOMER, *TRACKING):
        return "unknown"
    is_over = any(content.get(name) not in (None, "") for name in ("answered", "duration"))
    return "post_call" if is_over else "pre_call"


def _message(content: dict[str, Any], received_at: datetime) -> MessageEvent:
    # Without a direction only what we sent names the agent who did.
    direction = _direction(content) or (
        Direction.OUTGOING if fields.text(content, "agent").strip() else Direction.INCOMING
    )
    sender, recipients = fields.numbers(content, "source_number"), fields.numbers(content, "destination_number")
    incoming = direction == Direction.INCOMING
    return MessageEvent(
        openphone_id=fields.identifier(content, "resource_id"),
        line_id="",
        our_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=direction,
        created_at=fields.instant(content, _first(content, *START) or START[0]) or received_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(content, "content"),
        media=(),
        status=MessageStatus.RECEIVED if incoming else MessageStatus.SENT,
    )


def _call(content: dict[str, Any], received_at: datetime, *, over: bool) -> CallEvent:
    outgoing = fields.text(content, "call_type") == "outbound"
    direction = _direction(content) or (Direction.OUTGOING if outgoing else Direction.INCOMING)
    left_voicemail = bool(fields.boolean(content, "voicemail"))
    answered = over and bool(fields.boolean(content, "answered")) and not left_voicemail
    created_at = fields.instant(content, _first(content, *START) or START[0]) or received_at
    length_s = fields.seconds(content, "duration")  # from the first ring, a caller's who hung up as well
    recordings = fields.attachments(content, "recording")
    return CallEvent(
        openphone_id=fields.identifier(content, "resource_id"),
        line_id="",  # a tracker may stand for a pool of numbers, so that only the number tells the line
        our_numbers=fields.numbers(content, _first(content, *TRACKING) or TRACKING[0]),
        outside_numbers=fields.numbers(content, _first(content, *CUSTOMER) or CUSTOMER[0]),
        direction=direction,
        created_at=created_at,
        answered=answered,
        over=over,
        answered_at=None,
        completed_at=_end_of(created_at, length_s) if over else None,
        duration_s=length_s if answered else None,
        recordings=() if left_voicemail else recordings,
        voicemail_url=fields.file_url(content, "recording") if left_voicemail else "",
        outside_name=fields.text(content, "customer_name").strip(),
    )


def _end_of(start: datetime, length_s: int | None) -> datetime | None:
    try:
        return None if length_s is None else start + timedelta(seconds=length_s)
    except OverflowError:  # after the year 9999
        return None


def _direction(content: dict[str, Any]) -> str:
    said = fields.text(content, "direction").strip().lower()
    if said and said not in DIRECTIONS:
        raise FieldError("direction", f"must be one of: {', '.join(DIRECTIONS)}")
    return DIRECTIONS[said] if said else ""


def _first(content: dict[str, Any], *names: str) -> str:
    """The first of the fields that holds something."""
    return next((name for name in names if content.get(name) not in (None, "")), "")


def _signature(secret: str, body: bytes) -> str:
    return digest(secret.encode(), body, "sha1")

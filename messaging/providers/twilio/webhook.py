"""Twilio's webhook events: incoming messages, and status updates of outgoing ones.

Source: the provider's webhook reference. Bodies are forms; new fields appear without notice. They hold no time, so the
time of arrival counts. WhatsApp and RCS senders have the channel before their number.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.errors import NotHandled, UnknownType
from messaging.providers.events import Envelope, IncomingText, MessageEvent
from messaging.providers.payloads import is_form, read_form, read_json, read_whatever, storable_id

EVENT_TYPES = frozenset({"inbound_message", "status_callback"})
SIDS = ("MessageSid", "SmsSid", "SmsMessageSid")
BUTTON = "ButtonText"  # of a quick reply on WhatsApp or RCS, which may have no body
INCOMING = ("received", "receiving", "")
RCS_AGENT = re.compile(r"\s*rcs:(?!\+?\d+\s*$)", re.IGNORECASE)  # an agent has a name in place of a number


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """Return the id, type and content of a webhook event: each status of a message is one. Raises InvalidPayload."""
    content, warning = (read_form if is_form(headers) else read_json)(body)
    sid, status = next((storable_id(content[name]) for name in SIDS if content.get(name)), ""), _status_of(content)
    # The carrier's code may follow in a second receipt with the same status.
    parts = (sid, status or "received", str(content.get("ErrorCode") or ""))
    return Envelope(
        id=storable_id(":".join(filter(None, parts))) if sid else "",
        type=_type_of(content, status) if any(content.get(name) for name in SIDS) else "unknown",
        content=content,
        warning=warning,
    )


def read_event(envelope: Envelope, *, received_at: datetime) -> MessageEvent:
    """Return the event in the common vocabulary. Raises NotHandled, or FieldError with the field's name."""
    if envelope.type not in EVENT_TYPES:
        raise UnknownType(envelope.type)
    content, status = envelope.content, _status_of(envelope.content)
    incoming = envelope.type == "inbound_message"
    if status and status not in fields.MESSAGE_STATUSES:
        raise NotHandled(f"The message status {status[:30]} isn't supported yet.")
    our_field, their_field = ("To", "From") if incoming else ("From", "To")
    ours = fields.text(content, our_field).strip()
    our_numbers = () if RCS_AGENT.match(ours) else fields.numbers(content, our_field)
    their_numbers = fields.numbers(content, their_field)
    sender, recipients = (their_numbers, our_numbers) if incoming else (our_numbers, their_numbers)
    return MessageEvent(
        openphone_id=fields.identifier(content, next((name for name in SIDS if content.get(name)), SIDS[0])),
        line_id=ours[: fields.MAX_ID] if RCS_AGENT.match(ours) else "",
        company_numbers=our_numbers,
        outside_numbers=their_numbers,
        direction=Direction.INCOMING if incoming else Direction.OUTGOING,
        created_at=received_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(content, "Body") or fields.text(content, BUTTON),
        media=_media(content),
        status=fields.MESSAGE_STATUSES[status] if status else MessageStatus.RECEIVED,
        error_code=fields.code(content, "ErrorCode"),
        opt_out_type=fields.code(content, "OptOutType").upper(),
    )


def find_incoming_text(body: bytes, headers: Mapping[str, str]) -> IncomingText | None:
    """Return sender and text of an incoming message, even of an invalid event. None if either can't be read."""
    content = read_whatever(body, headers)
    status = fields.first_readable(fields.text, (content, "MessageStatus"), (content, "SmsStatus")) or ""
    senders = fields.first_readable(fields.numbers, (content, "From"))
    text = fields.first_readable(fields.words, (content, "Body"), (content, BUTTON)) or ""
    opt_out_type = fields.first_readable(fields.code, (content, "OptOutType")) or ""
    is_receipt = status in fields.MESSAGE_STATUSES and status not in INCOMING
    if is_receipt or not senders or not (text or opt_out_type):
        return None
    return IncomingText(from_number=senders[0], body=text, created_at=None, opt_out_type=opt_out_type.upper())


def _type_of(content: dict[str, Any], status: str) -> str:
    """Return the type of a message's event. An incoming message has a sender and a content, which may be empty."""
    if status not in INCOMING:
        return "status_callback"
    has_content = any(name in content for name in ("Body", "NumMedia", BUTTON))
    return "inbound_message" if content.get("From") and has_content else "unknown"


def _status_of(content: dict[str, Any]) -> str:
    return fields.text(content, "MessageStatus") or fields.text(content, "SmsStatus")


def _media(content: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """Return the files, which are numbered from 0 without gaps."""
    files: list[dict[str, Any]] = []
    while url := content.get(f"MediaUrl{len(files)}"):
        files.append({"url": url, "type": content.get(f"MediaContentType{len(files)}")})
    return fields.attachments({"media": files}, "media")

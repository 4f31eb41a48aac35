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
from messaging.providers.events import Envelope, MessageEvent
from messaging.providers.payloads import is_form, read_form, read_json, storable_id

EVENT_TYPES = frozenset({"inbound_message", "status_callback"})
SIDS = ("MessageSid", "SmsSid", "SmsMessageSid")
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
        type=_type_of(content, status) if sid else "unknown",
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
    sender, recipients = _numbers(content, "From"), _numbers(content, "To")
    ours = fields.text(content, "To" if incoming else "From").strip()
    return MessageEvent(
        openphone_id=fields.identifier(content, next((name for name in SIDS if content.get(name)), SIDS[0])),
        line_id=ours[: fields.MAX_ID] if RCS_AGENT.match(ours) else "",
        company_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=Direction.INCOMING if incoming else Direction.OUTGOING,
        created_at=received_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(content, "Body"),
        media=_media(content),
        status=fields.MESSAGE_STATUSES[status] if status else MessageStatus.RECEIVED,
        error_code=fields.code(content, "ErrorCode"),
        opt_out_type=fields.code(content, "OptOutType").upper(),
    )


def _type_of(content: dict[str, Any], status: str) -> str:
    """Return the type of a message's event. An incoming message has a sender and a content, which may be empty."""
    if status not in INCOMING:
        return "status_callback"
    return "inbound_message" if content.get("From") and ("Body" in content or "NumMedia" in content) else "unknown"


def _status_of(content: dict[str, Any]) -> str:
    return fields.text(content, "MessageStatus") or fields.text(content, "SmsStatus")


def _numbers(content: dict[str, Any], field: str) -> tuple[str, ...]:
    return () if RCS_AGENT.match(fields.text(content, field)) else fields.numbers(content, field)


def _media(content: dict[str, Any]) -> tuple[dict[str, str], ...]:
    """Return the files, which are numbered from 0 without gaps."""
    files: list[dict[str, Any]] = []
    while url := content.get(f"MediaUrl{len(files)}"):
        files.append({"url": url, "type": content.get(f"MediaContentType{len(files)}")})
    return fields.attachments({"media": files}, "media")

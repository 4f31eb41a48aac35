"""OpenPhone's messages."""

from collections.abc import Mapping

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.errors import FieldError
from messaging.providers.events import IncomingText, MessageEvent
from messaging.providers.openphone.envelope import EventParts, find_resource, unwrap
from messaging.providers.payloads import read_whatever

# By type, not by the status field: a documented sample calls an incoming message "delivered".
RECEIVED = "message.received"
STATUSES = {
    RECEIVED: MessageStatus.RECEIVED,
    "message.delivered": MessageStatus.DELIVERED,
    "message.failed": MessageStatus.FAILED,
    "message.undelivered": MessageStatus.UNDELIVERED,
}


def read_message(parts: EventParts) -> MessageEvent:
    """Return an incoming message, or the delivery receipt of an outgoing one."""
    sender = fields.numbers(parts.context, "senderIdentifier") or fields.numbers(parts.resource, "from")
    recipients = fields.numbers(parts.context, "recipientIdentifiers") or fields.numbers(parts.resource, "to")
    status = STATUSES[parts.type]
    incoming = status == MessageStatus.RECEIVED
    return MessageEvent(
        openphone_id=fields.identifier(parts.resource, "id"),
        line_id=parts.line_id,
        company_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=Direction.INCOMING if incoming else Direction.OUTGOING,
        created_at=parts.created_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(parts.resource, "text") or fields.text(parts.resource, "body"),
        media=fields.attachments(parts.resource, "media"),
        status=status,
        error_code=fields.code(parts.resource, "errorCode"),
    )


def find_incoming_text(body: bytes, headers: Mapping[str, str]) -> IncomingText | None:
    """Return sender and text of an incoming message, even of an invalid event. None if either can't be read."""
    content = unwrap(read_whatever(body, headers))
    try:
        resource, context = find_resource(content)
    except FieldError:
        return None
    event_type = content.get("type")
    if event_type != RECEIVED and (event_type in list(STATUSES) or resource.get("direction") != Direction.INCOMING):
        return None
    senders = fields.first_readable(fields.numbers, (context, "senderIdentifier"), (resource, "from"))
    text = fields.first_readable(fields.words, (resource, "text"), (resource, "body"))
    if not senders or not text:
        return None
    created_at = fields.first_readable(fields.instant, (resource, "createdAt"), (content, "createdAt"))
    return IncomingText(from_number=senders[0], body=text, created_at=created_at)

"""OpenPhone's messages."""

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.events import MessageEvent
from messaging.providers.openphone.envelope import EventParts

# By type, not by the status field: a documented sample calls an incoming message "delivered".
STATUSES = {
    "message.received": MessageStatus.RECEIVED,
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

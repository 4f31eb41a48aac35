"""Texts, as OpenPhone tells of them."""

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.events import MessageEvent
from messaging.providers.openphone.envelopes import OpenedEnvelope

# Not the status that a delivery gives: a documented sample calls an incoming text "delivered".
STATUSES = {
    "message.received": MessageStatus.RECEIVED,
    "message.delivered": MessageStatus.DELIVERED,
    "message.failed": MessageStatus.FAILED,
    "message.undelivered": MessageStatus.UNDELIVERED,
}


def read_message(opened: OpenedEnvelope) -> MessageEvent:
    """A text came in, or one of ours arrived or did not."""
    sender = fields.numbers(opened.context, "senderIdentifier") or fields.numbers(opened.resource, "from")
    recipients = fields.numbers(opened.context, "recipientIdentifiers") or fields.numbers(opened.resource, "to")
    status = STATUSES[opened.type]
    incoming = status == MessageStatus.RECEIVED
    return MessageEvent(
        openphone_id=fields.identifier(opened.resource, "id"),
        line_id=opened.line_id,
        our_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=Direction.INCOMING if incoming else Direction.OUTGOING,
        created_at=opened.created_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(opened.resource, "text") or fields.text(opened.resource, "body"),
        media=fields.attachments(opened.resource, "media"),
        status=status,
        error_code=fields.code(opened.resource, "errorCode"),
    )

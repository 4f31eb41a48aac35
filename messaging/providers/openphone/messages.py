"""Texts, as OpenPhone tells of them."""

from crm.choices import Direction
from messaging.choices import MessageStatus
from messaging.providers import fields
from messaging.providers.events import MessageEvent
from messaging.providers.openphone.envelopes import Told

# Not the status that a delivery gives: a documented sample calls an incoming text "delivered".
STATUSES = {
    "message.received": MessageStatus.RECEIVED,
    "message.delivered": MessageStatus.DELIVERED,
    "message.failed": MessageStatus.FAILED,
    "message.undelivered": MessageStatus.UNDELIVERED,
}


def read_message(told: Told) -> MessageEvent:
    """A text came in, or one of ours arrived or did not."""
    sender = fields.numbers(told.context, "senderIdentifier") or fields.numbers(told.resource, "from")
    recipients = fields.numbers(told.context, "recipientIdentifiers") or fields.numbers(told.resource, "to")
    status = STATUSES[told.type]
    incoming = status == MessageStatus.RECEIVED
    return MessageEvent(
        openphone_id=fields.identifier(told.resource, "id"),
        line_id=told.line_id,
        our_numbers=recipients if incoming else sender,
        outside_numbers=sender if incoming else recipients,
        direction=Direction.INCOMING if incoming else Direction.OUTGOING,
        created_at=told.created_at,
        from_number=next(iter(sender), ""),
        to_numbers=recipients,
        body=fields.text(told.resource, "text") or fields.text(told.resource, "body"),
        media=fields.attachments(told.resource, "media"),
        status=status,
        error_code=fields.code(told.resource, "errorCode"),
    )

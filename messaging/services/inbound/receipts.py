"""Delivery receipts of own messages, applied to many at once where they change nothing but the status."""

from collections import Counter
from collections.abc import Mapping, Sequence

from crm.choices import Direction, FlagType
from crm.models import ContactFlag
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.providers.events import Event, MessageEvent
from messaging.services.outbound.campaign_progress import update_memberships


def apply_plain_receipts(*, events: Sequence[Event | None]) -> set[int]:
    """Mark messages as delivered, in a few statements for all. Returns the indexes of the events that needed no more.

    A campaign's receipts are as many as its messages. Any other event, and any receipt that would also fill a blank
    field, end a flag, or follow another of the same message, is recorded by itself.
    """
    ids = Counter(event.openphone_id for event in events if isinstance(event, MessageEvent))
    receipts = {
        event.openphone_id: (index, event)
        for index, event in enumerate(events)
        if isinstance(event, MessageEvent) and _is_receipt(event) and ids[event.openphone_id] == 1
    }
    if len(receipts) < 2:
        return set()
    messages = _lock_messages(receipts)
    flags = ContactFlag.objects.in_force().filter(flag_type=FlagType.INVALID_NUMBER)
    flagged = set(
        flags.filter(contact__in={message.contact_id for message in messages}).values_list("contact", flat=True)
    )
    plain = [message for message in messages if message.contact_id not in flagged]
    Message.objects.filter(pk__in=[message.pk for message in plain]).update(status=MessageStatus.DELIVERED)
    for message in plain:
        message.status = MessageStatus.DELIVERED
    update_memberships(messages=plain)
    return {receipts[str(message.activity.openphone_id)][0] for message in plain}


def _is_receipt(event: MessageEvent) -> bool:
    return event.direction == Direction.OUTGOING and event.status == MessageStatus.DELIVERED and not event.error_code


def _lock_messages(receipts: Mapping[str, tuple[int, MessageEvent]]) -> list[Message]:
    """Return the messages of the receipts that are `sent` and lack nothing, locked until the transaction ends."""
    sent = Message.objects.filter(
        activity__openphone_id__in=list(receipts),
        activity__direction=Direction.OUTGOING,
        activity__contact__isnull=False,
        status=MessageStatus.SENT,
    )
    own = sent.exclude(kind="").select_related("activity").order_by("pk")  # an own message keeps its time
    locked = own.select_for_update(no_key=True, of=("self",))
    return [one for one in locked if not _lacks(one, receipts[str(one.activity.openphone_id)][1])]


def _lacks(message: Message, event: MessageEvent) -> bool:
    """Return whether the receipt has a value for a field that is blank."""
    reported = {name: getattr(event, name) for name in ("from_number", "to_numbers", "body", "media")}
    is_blank = any(value and not getattr(message, name) for name, value in reported.items())
    return is_blank or bool(event.body and not message.activity.body)

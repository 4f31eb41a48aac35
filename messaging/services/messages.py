"""Texts, as providers tell of them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from crm.choices import ActivityType
from crm.db.tenancy import current_company_id
from crm.services.conversations import fill_gaps, open_thread, record_activity
from messaging.choices import MessageStatus
from messaging.models import Message

# How far a text has got. Deliveries overtake one another, so that a status is only ever replaced by a later stage;
# the last stage is final.
_STAGE = {
    MessageStatus.UNKNOWN: 0,
    MessageStatus.QUEUED: 1,
    MessageStatus.SENDING: 2,
    MessageStatus.SENT: 3,
    MessageStatus.DELIVERED: 4,
    MessageStatus.RECEIVED: 4,
    MessageStatus.FAILED: 4,
    MessageStatus.UNDELIVERED: 4,
}


def record_message(
    *,
    provider: str,
    openphone_id: str,
    line_id: str,
    our_numbers: Sequence[str],
    outside_numbers: Sequence[str],
    direction: str,
    from_number: str,
    to_numbers: Sequence[str],
    body: str,
    media: Sequence[dict[str, str]],
    status: str,
    created_at: datetime,
) -> Message:
    """The text of the company entered with this provider's id, however often and in whatever order it is told of.

    A group text is one message, in the thread with the first outside number. A second telling adds what was missing
    and may move the status on.

    Raises:
        ActivityTypeClash: the id is known as something else than a message.
    """
    with transaction.atomic():
        thread = open_thread(
            provider=provider,
            line_id=line_id,
            our_numbers=our_numbers,
            outside_numbers=outside_numbers,
            at=created_at,
        )
        activity = record_activity(
            openphone_id=openphone_id,
            activity_type=ActivityType.MESSAGE,
            thread=thread,
            direction=direction,
            created_at=created_at,
            body=body,
        )
        said = {
            "contact": thread.contact,
            "phone_line": thread.line,
            "from_number": from_number,
            "to_numbers": list(to_numbers),
            "body": body,
            "media": list(media),
        }
        message = Message.objects.select_for_update().filter(activity=activity).first()
        if message is None:
            return Message.objects.create(
                company_id=current_company_id(),
                activity=activity,
                direction=direction,
                status=status,
                created_at=created_at,
                **said,
            )
        changed = fill_gaps(message, **said)
        if _STAGE[MessageStatus(status)] > _STAGE[MessageStatus(message.status)]:
            message.status = status
            changed.append("status")
        if changed:
            message.save(update_fields=changed)
        return message

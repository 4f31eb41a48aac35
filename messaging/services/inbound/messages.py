"""Texts, as providers tell of them: in any order, more than once, and of those that we sent ourselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from calls.choices import Recovery
from calls.services.missed_calls import mark_recovered
from crm.choices import ActivityType, Direction
from crm.db.tenancy import current_company_id
from crm.models import Activity
from crm.services.conversations import (
    ConversationContext,
    fill_blank_fields,
    keep_earliest,
    record_activity,
    resolve_conversation,
    update_conversation_status,
)
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.models.messages import ON_ITS_WAY
from messaging.services.inbound.opt_out_keywords import handle_opt_out_keywords
from messaging.services.outbound.campaign_progress import follow_membership, note_reply

# How far a text has got. Deliveries overtake one another, so that a status is only ever replaced by a later stage. Of
# the ends a receipt counts most: OpenPhone's failed texts may be tried again, and whoever has a text has it.
_STAGES = (
    (MessageStatus.QUEUED,),
    (MessageStatus.SENDING, MessageStatus.UNKNOWN),
    (MessageStatus.SENT,),
    (MessageStatus.FAILED,),
    (MessageStatus.UNDELIVERED,),
    (MessageStatus.DELIVERED, MessageStatus.RECEIVED),
)
_STAGE = {status: number for number, stage in enumerate(_STAGES) for status in stage}


class AmbiguousReceipt(Exception):
    """Several texts to one number are on their way, and a receipt doesn't say which it is of. In a moment it will be
    known, when the sender has their ids."""


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
    error_code: str = "",
    opt_out_type: str = "",
    created_at: datetime,
) -> Message:
    """The text of the company entered with this provider's id, however often and in whatever order it is told of.

    A group text is one message, in the thread with the first outside number. A second telling adds what was missing
    and may move the status on.

    Raises:
        ActivityTypeClash: the id is known as something else than a message.
        AmbiguousReceipt: it is to be told again a little later.
    """
    with transaction.atomic():
        context = resolve_conversation(
            provider=provider,
            line_id=line_id,
            our_numbers=our_numbers,
            outside_numbers=outside_numbers,
            at=created_at,
        )
        if direction == Direction.OUTGOING:
            _match_outgoing(context, openphone_id=openphone_id, body=body)
        activity, is_news = record_activity(
            openphone_id=openphone_id,
            activity_type=ActivityType.MESSAGE,
            context=context,
            direction=direction,
            created_at=created_at,
            body=body,
        )
        message = _write_message(
            activity,
            # What a provider tells of has left us, wherever it is queued there.
            status=MessageStatus.SENT if status in ON_ITS_WAY else status,
            created_at=created_at,
            contact=context.contact,
            phone_line=context.line,
            from_number=from_number,
            to_numbers=list(to_numbers),
            body=body,
            media=list(media),
            error_code=error_code,
        )
        if context.contact and direction == Direction.INCOMING:
            mark_recovered(contact=context.contact, at=message.created_at, by=Recovery.REPLY)
        follow_membership(message=message)
        if is_news:
            update_conversation_status(context, direction=direction)
            if direction == Direction.INCOMING:
                note_reply(message=message)
        if direction == Direction.INCOMING:
            handle_opt_out_keywords(message=message, opt_out_type=opt_out_type)
        return message


def move_status(message: Message, status: str) -> list[str]:
    """Move the status on, never back; the caller saves. Returns the names of the fields that changed."""
    if _STAGE[MessageStatus(status)] <= _STAGE[MessageStatus(message.status)]:
        return []
    message.status = status
    return ["status"]


def _match_outgoing(context: ConversationContext, *, openphone_id: str, body: str) -> None:
    """Give the id to the text of ours that it must be of, if the provider was faster than the sender in telling it.

    That is the oldest with these words to this contact over this line, whose id nobody knows yet.
    """
    if context.contact is None or Activity.objects.filter(openphone_id=openphone_id).exists():
        return
    leaving = Message.objects.select_for_update(of=("activity", "self"), no_key=True).filter(
        contact=context.contact,
        phone_line=context.line,
        status__in=(MessageStatus.SENDING, MessageStatus.UNKNOWN),
        activity__openphone_id=None,
    )
    if body:
        leaving = leaving.filter(body=body)
    texts = leaving.select_related("activity").order_by("created_at", "id")[:2]
    if not body and len(texts) > 1:
        raise AmbiguousReceipt(f"{openphone_id} is one of several texts that are on their way.")
    if texts:
        activity = texts[0].activity
        activity.openphone_id = openphone_id
        activity.save(update_fields=["openphone_id"])


def _write_message(activity: Activity, *, status: str, created_at: datetime, **told: Any) -> Message:
    message = Message.objects.select_for_update().filter(activity=activity).first()
    if message is None:
        return Message.objects.create(
            company_id=current_company_id(),
            activity=activity,
            direction=activity.direction,
            status=status,
            created_at=created_at,
            **told,
        )
    changed = fill_blank_fields(message, **told) + keep_earliest(message, created_at) + move_status(message, status)
    if changed:
        message.save(update_fields=changed)
    return message

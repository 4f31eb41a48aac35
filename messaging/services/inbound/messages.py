"""Messages reported by providers, in any order and repeatedly, including the product's own messages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from calls.choices import Recovery
from calls.services.attachments.noting import note_files_of_messages
from calls.services.missed_calls import mark_recovered
from crm.choices import ActivityType, Direction
from crm.db.tenancy import current_company_id
from crm.models import Activity, Contact, ContactPhone, PhoneLine
from crm.services.activities import find_activity, record_activity, refuse_other_direction
from crm.services.contacts import end_invalid_number
from crm.services.conversations import resolve_conversation, update_conversation
from crm.services.event_fields import fill_blank_fields, keep_earliest
from crm.services.known_rows import KnownRows
from messaging.choices import OUTCOME_UNKNOWN, MessageStatus, OwnCode
from messaging.models import Message
from messaging.models.messages import OUTBOX_STATUSES
from messaging.services.inbound.awaited_messages import find_waiting
from messaging.services.inbound.opt_out_keywords import handle_opt_out_keywords
from messaging.services.inbound.reminder_answers import handle_reminder_answer
from messaging.services.outbound.campaign_progress import mark_membership_replied, update_memberships
from messaging.services.outbound.code_effects import apply_error_code
from messaging.services.outbound.holding import hold_answered

# Webhook events overtake one another, so a status is only replaced by one of a later stage. A delivery receipt is last:
# OpenPhone may retry failed messages, and a delivered message stays delivered.
_STAGES = (
    (MessageStatus.QUEUED, MessageStatus.HELD),
    OUTCOME_UNKNOWN,
    (MessageStatus.SENT,),
    (MessageStatus.FAILED,),
    (MessageStatus.UNDELIVERED,),
    (MessageStatus.DELIVERED, MessageStatus.RECEIVED),
)
CLOCK_DIFFERENCE = timedelta(minutes=1)  # between the provider's clock and ours
_STAGE = {status: number for number, stage in enumerate(_STAGES) for status in stage}


class AmbiguousReceipt(Exception):
    """A receipt may belong to several messages being sent. A retry succeeds when the sender knows their ids."""


def record_message(
    *,
    provider: str,
    openphone_id: str,
    line_id: str,
    company_numbers: Sequence[str],
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
    known: KnownRows | None = None,
) -> Message:
    """Create or update the message with this provider's id.

    A group message is one message, in the conversation with the first outside number. A repeated report fills blank
    fields and may advance the status. Only a message from outside creates a contact, a conversation or a line.

    Args:
        known: rows that were read in advance in this transaction.

    Raises:
        IdClash: the id belongs to another type of activity, or to a message in the other direction.
        AmbiguousReceipt: the receipt must be processed again a little later.
        ActivityArchived: the message is archived.
    """
    reported = {
        "from_number": from_number,
        "to_numbers": list(to_numbers),
        "body": body,
        "media": list(media),
        "error_code": error_code,
    }
    status = reported_status(status)
    known = known or KnownRows()
    with transaction.atomic():
        if direction == Direction.OUTGOING:
            # The receipt of an archived message is refused, or it would be taken for that of an equal one being sent.
            activity = find_activity(known, openphone_id)
            if activity is None:
                activity = _match_outgoing(
                    known, openphone_id, line_id, company_numbers, outside_numbers, body, created_at
                )
            if activity and activity.activity_type == ActivityType.MESSAGE and activity.contact_id:
                # Its contact is known, so a receipt changes nothing else.
                refuse_other_direction(activity, direction)
                message = _apply_receipt(activity, status=status, created_at=created_at, **reported)
                _note_files(message, provider)
                return message
        context = resolve_conversation(
            known=known,
            provider=provider,
            line_id=line_id,
            company_numbers=company_numbers,
            outside_numbers=outside_numbers,
            direction=direction,
            at=created_at,
        )
        recorded = record_activity(
            known=known,
            openphone_id=openphone_id,
            activity_type=ActivityType.MESSAGE,
            context=context,
            direction=direction,
            created_at=created_at,
            body=body,
        )
        message = _write_message(
            recorded.activity,
            found=not recorded.created,
            status=status,
            created_at=created_at,
            contact=context.contact,
            phone_line=context.line,
            **reported,
        )
        _note_files(message, provider)
        if direction == Direction.OUTGOING:
            _apply_outcome(message, status, error_code)
        update_conversation(context, is_new=recorded.is_new, direction=direction)
        if direction == Direction.INCOMING and not context.is_internal:
            if context.contact:
                known.lock_contacts([context.contact.pk])
                _apply_reply(message, context.contact, is_new=recorded.is_new)
            writes_to_itself = from_number == context.company_number  # the phone line
            if not writes_to_itself and handle_opt_out_keywords(message=message, opt_out_type=opt_out_type):
                known.forget()  # a confirmation is a part of the conversation
            elif not writes_to_itself:
                handle_reminder_answer(message=message)
        return message


def reported_status(status: str) -> str:
    """Return the status of a reported message: it has reached the provider, even if it is queued there."""
    return MessageStatus.SENT if status in OUTBOX_STATUSES else status


def _note_files(message: Message, provider: str) -> None:
    """Let a worker fetch the files of a message that others have written."""
    if message.media and not message.kind:
        note_files_of_messages([(message.activity, message.media)], provider=provider)


def _apply_reply(message: Message, contact: Contact, *, is_new: bool) -> None:
    """Apply a message from a contact, which is locked, to what waits for one."""
    (waiting,) = find_waiting([(contact.pk, message.created_at)])
    if waiting.scheduled and is_new:  # first: a worker locks messages before memberships
        until = message.created_at + CLOCK_DIFFERENCE
        hold_answered(messages=Message.objects.filter(contact=contact, created_at__lte=until))
    if waiting.missed_call:
        mark_recovered(contact=contact, at=message.created_at, by=Recovery.REPLY)
    if waiting.invalid_number:
        end_invalid_number(contact=contact, before=message.created_at)
    if waiting.campaign and is_new:
        mark_membership_replied(message=message)


def advance_status(message: Message, status: str) -> list[str]:
    """Advance the status, never back; the caller saves. Returns the names of the changed fields."""
    if _STAGE[MessageStatus(status)] <= _STAGE[MessageStatus(message.status)]:
        return []
    changed = ["status"]
    if message.status == MessageStatus.HELD or message.error_code == OwnCode.CANCELLED:  # it was sent after all
        message.error = message.error_code = ""
        changed += ["error", "error_code"]
    message.status = status
    return changed


def _apply_receipt(activity: Activity, *, status: str, created_at: datetime, **reported: Any) -> Message:
    # A message that this product wrote keeps its time: the provider's clock must not move it in its thread.
    own = Message.objects.filter(activity=activity).exclude(kind="")
    created_at = own.values_list("created_at", flat=True).first() or created_at
    changed = fill_blank_fields(activity, body=reported["body"]) + keep_earliest(activity, created_at)
    if changed:
        activity.save(update_fields=changed)
    message = _write_message(activity, status=status, created_at=created_at, **reported)
    _apply_outcome(message, status, reported["error_code"])
    return message


def _apply_outcome(message: Message, status: str, error_code: str) -> None:
    """Apply what an event says about an outgoing message: its error code, or that its recipient was reached."""
    if status in (MessageStatus.FAILED, MessageStatus.UNDELIVERED):
        apply_error_code(message=message, code=error_code)
    elif status == MessageStatus.DELIVERED and message.contact and message.to_numbers == [message.contact.phone]:
        end_invalid_number(contact=message.contact, before=message.left_at)
    update_memberships(messages=[message])


def _match_outgoing(
    known: KnownRows,
    openphone_id: str,
    line_id: str,
    company_numbers: Sequence[str],
    outside_numbers: Sequence[str],
    body: str,
    created_at: datetime,
) -> Activity | None:
    """Set the id on the message being sent, if the webhook event came before the provider's answer to the sender.

    It belongs to the oldest message without an id that has this body and contact. The provider may have sent it from
    another number than the message's line. If none is being sent, it belongs to a held message that was written before:
    in a restored copy, the original has sent that one.
    """
    if not outside_numbers:
        return None
    candidates = Message.objects.select_for_update(of=("activity", "self"), no_key=True).filter(
        contact__in=ContactPhone.objects.filter(phone__in=outside_numbers).values("contact"),
        activity__openphone_id=None,
    )
    being_sent = Q(status__in=OUTCOME_UNKNOWN)
    held = Q(status=MessageStatus.HELD, created_at__lte=created_at + CLOCK_DIFFERENCE)
    candidates = candidates.filter(being_sent | held, body=body) if body else candidates.filter(being_sent)
    messages = list(candidates.select_related("activity", "phone_line").order_by("created_at", "id"))
    messages = [one for one in messages if one.status != MessageStatus.HELD] or messages
    same_line = [message for message in messages if _is_line(message.phone_line, line_id, company_numbers)]
    if not body and (len(same_line) > 1 or len(messages) > len(same_line) == 0):
        raise AmbiguousReceipt(f"{openphone_id} may be any of several messages that are being sent.")
    if not messages:
        return None
    activity = (same_line or messages)[0].activity
    activity.openphone_id = openphone_id
    activity.save(update_fields=["openphone_id"])
    known.add_activity(activity)
    return activity


def _is_line(line: PhoneLine | None, line_id: str, numbers: Sequence[str]) -> bool:
    return line is not None and (line.number in numbers or (line_id != "" and line.provider_id == line_id))


def _write_message(
    activity: Activity, *, found: bool = True, status: str, created_at: datetime, **fields: Any
) -> Message:
    """Create or update the activity's message. `found`: the activity is older than this event."""
    message = Message.objects.select_for_update().filter(activity=activity).first() if found else None
    if message is None:
        return Message.objects.create(
            company_id=current_company_id(),
            activity=activity,
            direction=activity.direction,
            status=status,
            created_at=created_at,
            **fields,
        )
    changed = (
        fill_blank_fields(message, **fields) + keep_earliest(message, created_at) + advance_status(message, status)
    )
    if changed:
        message.save(update_fields=changed)
    return message

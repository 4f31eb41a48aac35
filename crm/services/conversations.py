"""Conversations and what is said in them, as providers tell it: in any order, more than once, to many workers at once.

Rows are always touched in the same order (line, contact, conversation, activity), so that two workers that hear of the
same caller wait for one another and never both ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model

from crm.choices import ConversationStatus, Direction
from crm.db.tenancy import current_company_id
from crm.models import Activity, Contact, Conversation, PhoneLine
from crm.phones import InvalidPhone, normalize_phone
from crm.services.contacts import get_or_create_contact


class ActivityTypeClash(Exception):
    """A provider's id stands for an entry of another kind already, such as a call's for a message."""


@dataclass(frozen=True)
class ConversationContext:
    """Who spoke with whom. Each part may be unknown."""

    line: PhoneLine | None
    contact: Contact | None
    conversation: Conversation | None
    our_number: str
    outside_number: str
    is_newest: bool  # nothing later is known of the conversation


def resolve_conversation(
    *, provider: str, line_id: str, our_numbers: Sequence[str], outside_numbers: Sequence[str], at: datetime
) -> ConversationContext:
    """The line, the contact and their conversation, each made if it is not there; its last activity moves up to `at`.

    Args:
        line_id: the provider's id of our line, or "".
        our_numbers: one of them is our line's; several in a group text.
        outside_numbers: the first that is not ours is the contact's. Where the provider doesn't say who is who, the
            same numbers are in both.
    """
    our_number, outside_number = _tell_apart(our_numbers, outside_numbers)
    line = get_or_create_phone_line(provider=provider, provider_id=line_id, number=our_number)
    contact = _contact_of(outside_number)
    conversation = _open_conversation(line, contact, at) if line and contact else None
    return ConversationContext(
        line=line,
        contact=contact,
        conversation=conversation,
        our_number=our_number or (line.number if line else ""),
        outside_number=outside_number,
        is_newest=conversation is not None and conversation.last_activity_at == at,
    )


def get_or_create_phone_line(*, provider: str, provider_id: str, number: str) -> PhoneLine | None:
    """The company's line with the provider's id, else with this number, else a new one without a name.

    What the line lacks, the id or the number, it gets. An id or a number that it has stays: deliveries come in any
    order, so that the later one is not the truer one. None, if neither is given.
    """
    if not provider_id and not number:
        return None
    line = _find_line(provider, provider_id, number)
    if line is None:
        try:
            with transaction.atomic():
                return PhoneLine.objects.create(
                    company_id=current_company_id(), provider=provider, provider_id=provider_id, number=number
                )
        except IntegrityError:  # another worker was faster
            line = _find_line(provider, provider_id, number)
            if line is None:
                raise
    gaps = fill_blank_fields(line, number=number, provider_id=provider_id if line.provider == provider else "")
    if gaps:
        try:
            with transaction.atomic():
                line.save(update_fields=gaps)
        except IntegrityError:  # another line has the number or the id: which of the two is right, a person says
            line.refresh_from_db()
    return line


def record_activity(
    *,
    openphone_id: str,
    activity_type: str,
    context: ConversationContext,
    direction: str,
    created_at: datetime,
    body: str = "",
) -> tuple[Activity, bool]:
    """The history's entry for a provider's id, and whether it is news in its conversation. One that stands gets what
    it lacks.

    The entry is locked until the transaction ends: whoever tells of the same id meanwhile waits. Of several times it
    keeps the earliest: a receipt, a recording or a voicemail is told of after what it belongs to.

    Raises:
        ActivityTypeClash: the id stands for an entry of another kind.
    """
    said = {"contact": context.contact, "conversation": context.conversation, "body": body}
    activity, is_new = Activity.objects.select_for_update().get_or_create(
        company_id=current_company_id(),
        openphone_id=openphone_id,
        defaults={"activity_type": activity_type, "direction": direction, "created_at": created_at, **said},
    )
    if activity.activity_type != activity_type:
        raise ActivityTypeClash(f"{openphone_id} is known as a {activity.activity_type}, not as a {activity_type}.")
    if is_new:
        return activity, True
    changed = fill_blank_fields(activity, **said) + keep_earliest(activity, created_at)
    activity.save(update_fields=changed)
    return activity, "conversation" in changed


def update_conversation_status(context: ConversationContext, *, direction: str, answered: bool = False) -> None:
    """Say whose turn it is after something new: ours, if the newest came in and nobody answered it.

    What comes in opens a closed conversation again; what goes out leaves it closed.
    """
    if not context.conversation or not context.is_newest:
        return
    incoming = direction == Direction.INCOMING
    if not incoming and context.conversation.status == ConversationStatus.CLOSED:
        return
    context.conversation.status = ConversationStatus.WAITING if incoming and not answered else ConversationStatus.OPEN
    context.conversation.save(update_fields=["status"])


def fill_blank_fields(row: Model, **values: Any) -> list[str]:
    """Set the fields that are empty and for which a value is given; the caller saves. Returns their names.

    A provider repeats itself with parts missing: a good value is never replaced by an empty one.
    """
    gaps = [name for name, value in values.items() if value and not getattr(row, name)]
    for name in gaps:
        setattr(row, name, values[name])
    return gaps


def keep_earliest(row: Any, created_at: datetime) -> list[str]:
    """Set an earlier time of creation; the caller saves. Returns the names of the fields that changed."""
    if created_at >= row.created_at:
        return []
    row.created_at = created_at
    return ["created_at"]


def _tell_apart(ours: Sequence[str], outside: Sequence[str]) -> tuple[str, str]:
    """Our line's number and the outside one; "" where it can't be told."""
    lines = set(PhoneLine.objects.filter(number__in=ours).values_list("number", flat=True))
    known = [number for number in ours if number in lines]
    sure = known or [number for number in ours if number not in outside]
    if not sure and len(ours) > 1:
        return "", ""  # nobody said who is who, and our own number must not become a customer
    our_number = sure[0] if known or len(sure) == 1 else ""
    return our_number, next((number for number in outside if number not in sure), "")


def _contact_of(number: str) -> Contact | None:
    try:
        return get_or_create_contact(company_id=current_company_id(), phone=normalize_phone(number))
    except InvalidPhone:  # a short code, "Anonymous": nobody whom we could call back
        return None


def _find_line(provider: str, provider_id: str, number: str) -> PhoneLine | None:
    line = None
    if provider_id:
        line = PhoneLine.objects.filter(provider=provider, provider_id=provider_id).first()
    if line is None and number:
        line = PhoneLine.objects.filter(number=number).first()
    return line


def _open_conversation(line: PhoneLine, contact: Contact, at: datetime) -> Conversation:
    """Locked until the transaction ends, so that the last activity never moves back."""
    conversation, is_new = Conversation.objects.select_for_update(no_key=True).get_or_create(
        company_id=line.company_id, contact=contact, phone_line=line, defaults={"last_activity_at": at}
    )
    if not is_new and at > conversation.last_activity_at:
        conversation.last_activity_at = at
        conversation.save(update_fields=["last_activity_at"])
    return conversation

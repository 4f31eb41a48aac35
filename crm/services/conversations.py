"""Conversations and activities from providers' events, which arrive in any order, repeatedly, and in many workers.

Rows are always locked in the same order (number, line, contact, conversation, activity), so that two workers with
events of the same caller don't deadlock.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, Q

from crm.choices import ActivityType, ConversationStatus, Direction
from crm.db.advisory_locks import advisory_xact_lock
from crm.db.tenancy import current_company_id
from crm.models import Activity, Contact, Conversation, PhoneLine
from crm.phones import InvalidPhone, normalize_phone
from crm.query_slots import outgoing_calls_to, outgoing_messages_to
from crm.refused_writes import is_refused_by
from crm.services.archived_ids import refuse_archived
from crm.services.contacts import find_contact, get_or_create_contact

JOIN_WITHIN = timedelta(days=7)  # longer than providers repeat an event

UNIQUE_NUMBER = "phone_lines_number_unique"
UNIQUE_LINES = (UNIQUE_NUMBER, "phone_lines_company_id_provider_id_unique")


class IdClash(Exception):
    """A provider id already belongs to an activity of another type, or to a message in the other direction."""


class LineTaken(Exception):
    """The number is a phone line elsewhere, so the company can't get events for it."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} can't be a phone line of this company; it is one already. Ask support.")


@dataclass(frozen=True)
class ConversationContext:
    """Line, contact and conversation of an event. Each may be unknown."""

    line: PhoneLine | None
    contact: Contact | None
    conversation: Conversation | None
    company_number: str
    outside_number: str  # of an internal event, the other line's
    is_internal: bool  # between two phone lines of the company
    is_newest: bool  # the conversation has no later activity


@dataclass(frozen=True)
class RecordedActivity:
    activity: Activity
    created: bool
    is_new: bool  # in its conversation


def resolve_conversation(
    *,
    provider: str,
    line_id: str,
    company_numbers: Sequence[str],
    outside_numbers: Sequence[str],
    direction: str,
    at: datetime,
) -> ConversationContext:
    """Return line, contact and conversation. Move the last activity forward to `at`.

    Each is created if it is missing and the event came in from outside. A receipt, a call that a user makes, or an
    event between two phone lines of the company finds those that exist.

    Args:
        line_id: the provider's id of the phone line, or "". company_numbers: one of them is the line's number; several
        in a group message. outside_numbers: the first that isn't a line's number is the contact's. If the provider
        doesn't distinguish them, both arguments hold the same numbers.
    """
    lines = _lines_of(provider, line_id, {*company_numbers, *outside_numbers})
    parties = _identify_parties(company_numbers, outside_numbers, {line.number for line in lines})
    line = _choose_line(lines, provider, line_id, parties.company)
    if parties.outside:  # of a simultaneous call in and call out, one must see the other
        advisory_xact_lock("outside number", current_company_id(), parties.outside)
    creates = direction == Direction.INCOMING and not parties.is_internal
    if creates:
        line = complete_phone_line(line=line, provider=provider, provider_id=line_id, number=parties.company)
    contact = None if parties.is_internal else _contact_of(parties.outside, creates=creates)
    conversation = open_conversation(line, contact, at, creates=creates) if line and contact else None
    return ConversationContext(
        line=line,
        contact=contact,
        conversation=conversation,
        company_number=parties.company or (line.number if line else ""),
        outside_number=parties.outside,
        is_internal=parties.is_internal,
        is_newest=conversation is not None and conversation.last_activity_at == at,
    )


def complete_phone_line(*, line: PhoneLine | None, provider: str, provider_id: str, number: str) -> PhoneLine | None:
    """Return the line that was found for an event, else a new line without a name.

    A missing id or number is filled in. An existing one stays: webhook events arrive in any order, so a later one isn't
    more reliable. Returns None if neither is given.
    """
    if not provider_id and not number:
        return None
    if line is None:
        try:
            with transaction.atomic():
                return PhoneLine.objects.create(
                    company_id=current_company_id(), provider=provider, provider_id=provider_id, number=number
                )
        except IntegrityError as error:
            lines = _lines_of(provider, provider_id, {number})
            line = _choose_line(lines, provider, provider_id, number)  # another worker was faster
            if line is None:
                if not is_refused_by(error, UNIQUE_NUMBER):
                    raise
                return _line_without_number(provider, provider_id, number)
    changed = fill_blank_fields(line, number=number, provider_id=provider_id if line.provider == provider else "")
    if changed:
        try:
            with transaction.atomic():
                line.save(update_fields=changed)
        except IntegrityError as error:
            if not is_refused_by(error, *UNIQUE_LINES):
                raise
            line.refresh_from_db()  # another line has the number or the id; a user must decide which line is right
    return line


def record_activity(
    *,
    openphone_id: str,
    activity_type: str,
    context: ConversationContext,
    direction: str,
    created_at: datetime,
    body: str = "",
) -> RecordedActivity:
    """Return the activity of a provider id.

    Blank fields of an existing activity are filled in. The activity is locked until the transaction ends, so workers
    with the same id wait. Of several times it keeps the earliest: a receipt, recording or voicemail is reported after
    the call or message that it belongs to.

    Raises:
        IdClash: the id belongs to an activity of another type, or to a message in the other direction.
        ActivityArchived: the activity is archived.
    """
    refuse_archived(openphone_id)
    fields = {"contact": context.contact, "conversation": context.conversation, "body": body}
    activity, created = Activity.objects.select_for_update().get_or_create(
        company_id=current_company_id(),
        openphone_id=openphone_id,
        defaults={"activity_type": activity_type, "direction": direction, "created_at": created_at, **fields},
    )
    if activity.activity_type != activity_type:
        raise IdClash(f"{openphone_id} is the ID of a {activity.activity_type}, not of a {activity_type}.")
    if activity_type == ActivityType.MESSAGE and not context.is_internal:  # two lines may report one message
        refuse_other_direction(activity, direction)
    if created:
        return RecordedActivity(activity, created=True, is_new=True)
    changed = fill_blank_fields(activity, **fields) + keep_earliest(activity, created_at)
    if changed:
        activity.save(update_fields=changed)
    return RecordedActivity(activity, created=False, is_new="conversation" in changed)


def refuse_other_direction(activity: Activity, direction: str) -> None:
    """Raise IdClash if an event in this direction names a message in the other one: it is about another message."""
    if activity.direction != direction:
        raise IdClash(
            f"{activity.openphone_id} is the ID of an {activity.direction} message, not of an {direction} one."
        )


def update_conversation_status(context: ConversationContext, *, direction: str, answered: bool = False) -> None:
    """Set the status after a new activity: `waiting` if the newest activity is incoming and unanswered.

    An incoming activity reopens a closed conversation; an outgoing one leaves it closed.
    """
    if not context.conversation or not context.is_newest:
        return
    incoming = direction == Direction.INCOMING
    if not incoming and context.conversation.status == ConversationStatus.CLOSED:
        return
    context.conversation.status = ConversationStatus.WAITING if incoming and not answered else ConversationStatus.OPEN
    context.conversation.save(update_fields=["status"])


def fill_blank_fields(row: Model, **values: Any) -> list[str]:
    """Set empty fields that have a value in `values`, without saving. Return their names.

    Providers repeat events with parts missing, so a value is never replaced by an empty one.
    """
    blank = [name for name, value in values.items() if value and not getattr(row, name)]
    for name in blank:
        setattr(row, name, values[name])
    return blank


def keep_earliest(row: Any, created_at: datetime) -> list[str]:
    """Set an earlier time of creation, without saving. Return the names of the changed fields."""
    if created_at >= row.created_at:
        return []
    row.created_at = created_at
    return ["created_at"]


@dataclass(frozen=True)
class _Parties:
    """The line's number and the other side's; "" for an unknown one."""

    company: str
    outside: str
    is_internal: bool


def _identify_parties(company_numbers: Sequence[str], outside_numbers: Sequence[str], lines: set[str]) -> _Parties:
    """Return the parties. `lines` holds the numbers of known lines."""
    known = [number for number in company_numbers if number in lines]
    line_numbers = known or [number for number in company_numbers if number not in outside_numbers]
    if not line_numbers and len(company_numbers) > 1:
        return _Parties("", "", is_internal=False)  # undistinguished, and a line's number must not become a contact
    company = line_numbers[0] if known or len(line_numbers) == 1 else ""
    others = [number for number in outside_numbers if number not in line_numbers[:1]]
    strangers = [number for number in others if number not in lines and number not in line_numbers]
    return _Parties(company, next(iter(strangers or others), ""), is_internal=bool(others) and not strangers)


def _contact_of(number: str, *, creates: bool) -> Contact | None:
    try:
        phone = normalize_phone(number)
    except InvalidPhone:  # a short code or "Anonymous", which can't be called back
        return None
    return get_or_create_contact(company_id=current_company_id(), phone=phone) if creates else find_contact(phone=phone)


def _line_without_number(provider: str, provider_id: str, number: str) -> PhoneLine:
    """Return a new line for a number that another company has: a person must decide whose it is."""
    if not provider_id:
        raise LineTaken(number)
    return PhoneLine.objects.create(company_id=current_company_id(), provider=provider, provider_id=provider_id)


def _lines_of(provider: str, provider_id: str, numbers: Set[str]) -> list[PhoneLine]:
    """Return the lines with the provider's id or one of the numbers."""
    wanted = Q(number__in=numbers - {""})
    return list(
        PhoneLine.objects.filter(wanted | Q(provider=provider, provider_id=provider_id) if provider_id else wanted)
    )


def _choose_line(lines: Sequence[PhoneLine], provider: str, provider_id: str, number: str) -> PhoneLine | None:
    """Return the line with the provider's id, else the one with the number."""
    by_id = (line for line in lines if provider_id and (line.provider, line.provider_id) == (provider, provider_id))
    by_number = (line for line in lines if number and line.number == number)
    return next(by_id, None) or next(by_number, None)


def open_conversation(line: PhoneLine, contact: Contact, at: datetime, *, creates: bool) -> Conversation | None:
    """Lock the conversation until the transaction ends, so that its last activity never moves back."""
    conversations = Conversation.objects.select_for_update(no_key=True)
    conversation = conversations.filter(contact=contact, phone_line=line).first()
    if conversation is None and creates:
        try:
            with transaction.atomic():
                conversation = Conversation.objects.create(
                    company_id=line.company_id, contact=contact, phone_line=line, last_activity_at=at
                )
        except IntegrityError:  # another worker was faster
            conversation = conversations.get(contact=contact, phone_line=line)
        else:
            _join_earlier_rows(conversation)
    if conversation is not None and at > conversation.last_activity_at:
        conversation.last_activity_at = at
        conversation.save(update_fields=["last_activity_at"])
    return conversation


def _join_earlier_rows(conversation: Conversation) -> None:
    """Give a new conversation the calls and messages to its contact that were reported before it.

    They had no contact or conversation yet. The result doesn't depend on the order of the webhook events.
    """
    contact, line, started_at = conversation.contact, conversation.phone_line, conversation.last_activity_at
    before = started_at, conversation.status
    for find in (outgoing_calls_to, outgoing_messages_to):
        rows = find(contact.phone).filter(
            Q(contact=None) | Q(contact=contact, activity__conversation=None),
            activity__isnull=False,  # an imported call may have none
            created_at__gte=started_at - JOIN_WITHIN,
        )
        for row in rows.select_related("activity"):
            row.contact = row.activity.contact = contact
            if row.phone_line_id == line.pk or (row.phone_line_id is None and row.from_number == line.number):
                row.phone_line, row.activity.conversation = line, conversation
                if row.created_at > conversation.last_activity_at:
                    conversation.last_activity_at, conversation.status = row.created_at, ConversationStatus.OPEN
            row.save(update_fields=["contact", "phone_line"])
            row.activity.save(update_fields=["contact", "conversation"])
    if (conversation.last_activity_at, conversation.status) != before:
        conversation.save(update_fields=["last_activity_at", "status"])

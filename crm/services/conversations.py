"""Conversations and activities from providers' events, which arrive in any order, repeatedly, and in many workers.

Rows are always locked in the same order (number, line, contact, conversation, activity), so that two workers with
events of the same caller don't deadlock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import IntegrityError, transaction
from django.db.models import Model, Q

from crm.choices import ActivityType, ConversationStatus, Direction
from crm.db.tenancy import current_company_id
from crm.models import Activity, Contact, Conversation, PhoneLine
from crm.phones import InvalidPhone, normalize_phone
from crm.query_slots import outgoing_calls_to, outgoing_messages_to
from crm.refused_writes import is_refused_by
from crm.services.archived_ids import ActivityArchived
from crm.services.contacts import get_or_create_contact
from crm.services.known_rows import KnownRows, line_keys

JOIN_WITHIN = timedelta(days=7)  # longer than providers repeat an event

OUTSIDE_NUMBER = "outside number"  # kind of a lock

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
    is_moved: bool  # the conversation's last activity is later than stored


@dataclass(frozen=True)
class RecordedActivity:
    activity: Activity
    created: bool
    is_new: bool  # in its conversation


class Reported(Protocol):
    """An event between a phone line and outside numbers, with fields as in `resolve_conversation`."""

    @property
    def openphone_id(self) -> str: ...
    @property
    def line_id(self) -> str: ...
    @property
    def company_numbers(self) -> Sequence[str]: ...
    @property
    def outside_numbers(self) -> Sequence[str]: ...


def read_in_advance(known: KnownRows, *, provider: str, events: Sequence[Reported]) -> None:
    """Read and lock the rows that several events are about, with one statement for each kind of row."""
    keys = [line_keys(provider, event.line_id, {*event.company_numbers, *event.outside_numbers}) for event in events]
    known.lines(set().union(*keys))
    places = []  # the line and the number outside of each event
    for event, own_keys in zip(events, keys, strict=True):
        lines = known.lines(own_keys)
        parties = _identify_parties(event.company_numbers, event.outside_numbers, {line.number for line in lines})
        places.append((_choose_line(lines, provider, event.line_id, parties.company), parties.outside))
    known.lock_names(OUTSIDE_NUMBER, {number for _, number in places if number})
    phones = [_phone_of(number) for _, number in places]
    contacts = known.contacts({*phones} - {""})
    known.conversations(
        {
            (contacts[phone].pk, line.pk)
            for (line, _), phone in zip(places, phones, strict=True)
            if line and phone in contacts
        }
    )
    known.lock_contacts(contact.pk for contact in contacts.values())
    ids = {event.openphone_id for event in events}
    known.activities(ids)
    known.archived(ids)


def resolve_conversation(
    *,
    known: KnownRows,
    provider: str,
    line_id: str,
    company_numbers: Sequence[str],
    outside_numbers: Sequence[str],
    direction: str,
    at: datetime,
) -> ConversationContext:
    """Return line, contact and conversation. The caller saves them with `update_conversation`.

    Each is created if it is missing and the event came in from outside. A receipt, a call that a user makes, or an
    event between two phone lines of the company finds those that exist.

    Args:
        line_id: the provider's id of the phone line, or "". company_numbers: one of them is the line's number; several
        in a group message. outside_numbers: the first that isn't a line's number is the contact's. If the provider
        doesn't distinguish them, both arguments hold the same numbers.
    """
    lines = known.lines(line_keys(provider, line_id, {*company_numbers, *outside_numbers}))
    parties = _identify_parties(company_numbers, outside_numbers, {line.number for line in lines})
    line = _choose_line(lines, provider, line_id, parties.company)
    if parties.outside:  # of a simultaneous call in and call out, one must see the other
        known.lock_names(OUTSIDE_NUMBER, {parties.outside})
    creates = direction == Direction.INCOMING and not parties.is_internal
    if creates:
        line = complete_phone_line(
            known=known, line=line, provider=provider, provider_id=line_id, number=parties.company
        )
    contact = None if parties.is_internal else _contact_of(known, parties.outside, creates=creates)
    conversation = _find_conversation(known, line, contact) if line and contact else None
    if line and contact and conversation is None and creates:
        conversation = _create_conversation(known, line, contact, at)
    is_moved = conversation is not None and _move_forward(conversation, at)
    return ConversationContext(
        line=line,
        contact=contact,
        conversation=conversation,
        company_number=parties.company or (line.number if line else ""),
        outside_number=parties.outside,
        is_internal=parties.is_internal,
        is_newest=conversation is not None and conversation.last_activity_at == at,
        is_moved=is_moved,
    )


def complete_phone_line(
    *, known: KnownRows, line: PhoneLine | None, provider: str, provider_id: str, number: str
) -> PhoneLine | None:
    """Return the line that was found for an event, else a new line without a name.

    A missing id or number is filled in. An existing one stays: webhook events arrive in any order, so a later one isn't
    more reliable. Returns None if neither is given.
    """
    if not provider_id and not number:
        return None
    if line is None:
        try:
            with transaction.atomic():
                line = PhoneLine.objects.create(
                    company_id=current_company_id(), provider=provider, provider_id=provider_id, number=number
                )
            known.add_line(line)
            return line
        except IntegrityError as error:
            known.forget()
            lines = known.lines(line_keys(provider, provider_id, {number}))
            line = _choose_line(lines, provider, provider_id, number)  # another worker was faster
            if line is None:
                if not is_refused_by(error, UNIQUE_NUMBER):
                    raise
                line = _line_without_number(provider, provider_id, number)
                known.add_line(line)
                return line
    changed = fill_blank_fields(line, number=number, provider_id=provider_id if line.provider == provider else "")
    if changed:
        try:
            with transaction.atomic():
                line.save(update_fields=changed)
            known.add_line(line)
        except IntegrityError as error:
            if not is_refused_by(error, *UNIQUE_LINES):
                raise
            line.refresh_from_db()  # another line has the number or the id; a user must decide which line is right
    return line


def find_activity(known: KnownRows, openphone_id: str) -> Activity | None:
    """Return the activity of a provider's id, locked until the transaction ends. Raises ActivityArchived."""
    activity = known.activities({openphone_id}).get(openphone_id)
    if activity is None and known.archived({openphone_id}):
        raise ActivityArchived
    return activity


def record_activity(
    *,
    known: KnownRows,
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
    fields = {"contact": context.contact, "conversation": context.conversation, "body": body}
    activity = find_activity(known, openphone_id)
    if activity is None:
        try:
            with transaction.atomic():
                activity = Activity.objects.create(
                    company_id=current_company_id(),
                    openphone_id=openphone_id,
                    activity_type=activity_type,
                    direction=direction,
                    created_at=created_at,
                    **fields,
                )
            known.add_activity(activity)
            return RecordedActivity(activity, created=True, is_new=True)
        except IntegrityError:  # another worker, or the sender of the message, was faster
            known.forget_activity(openphone_id)
            activity = find_activity(known, openphone_id)
            if activity is None:
                raise
    if activity.activity_type != activity_type:
        raise IdClash(f"{openphone_id} is the ID of a {activity.activity_type}, not of a {activity_type}.")
    if activity_type == ActivityType.MESSAGE and not context.is_internal:  # two lines may report one message
        refuse_other_direction(activity, direction)
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


def update_conversation(context: ConversationContext, *, is_new: bool, direction: str, answered: bool = False) -> None:
    """Save the conversation of an event, once for each event.

    After a new activity its status is `waiting` if the newest activity is incoming and unanswered. An incoming activity
    reopens a closed conversation; an outgoing one leaves it closed.

    Args:
        is_new: whether the event adds an activity, or an answer.
    """
    conversation = context.conversation
    if conversation is None:
        return
    incoming = direction == Direction.INCOMING
    changed = ["last_activity_at"] * context.is_moved
    if is_new and context.is_newest and (incoming or conversation.status != ConversationStatus.CLOSED):
        conversation.status = ConversationStatus.WAITING if incoming and not answered else ConversationStatus.OPEN
        changed.append("status")
    if changed:
        conversation.save(update_fields=changed)


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


def _phone_of(number: str) -> str:
    """Return the number as E.164; "" for a short code or "Anonymous", which can't be called back."""
    try:
        return normalize_phone(number)
    except InvalidPhone:
        return ""


def _contact_of(known: KnownRows, number: str, *, creates: bool) -> Contact | None:
    phone = _phone_of(number)
    contact = known.contacts({phone} - {""}).get(phone)
    if contact is None and phone and creates:
        contact = get_or_create_contact(company_id=current_company_id(), phone=phone)
        known.add_contact(phone, contact)
    return contact


def _line_without_number(provider: str, provider_id: str, number: str) -> PhoneLine:
    """Return a new line for a number that another company has: a person must decide whose it is."""
    if not provider_id:
        raise LineTaken(number)
    return PhoneLine.objects.create(company_id=current_company_id(), provider=provider, provider_id=provider_id)


def _choose_line(lines: Sequence[PhoneLine], provider: str, provider_id: str, number: str) -> PhoneLine | None:
    """Return the line with the provider's id, else the one with the number."""
    by_id = (line for line in lines if provider_id and (line.provider, line.provider_id) == (provider, provider_id))
    by_number = (line for line in lines if number and line.number == number)
    return next(by_id, None) or next(by_number, None)


def open_conversation(line: PhoneLine, contact: Contact, at: datetime) -> Conversation:
    """Return the conversation of a call that a person has given to another contact. It is created if it is missing."""
    known = KnownRows()
    conversation = _find_conversation(known, line, contact) or _create_conversation(known, line, contact, at)
    if _move_forward(conversation, at):
        conversation.save(update_fields=["last_activity_at"])
    return conversation


def _find_conversation(known: KnownRows, line: PhoneLine, contact: Contact) -> Conversation | None:
    """Return the conversation, locked until the transaction ends, so that its last activity never moves back."""
    pair = contact.pk, line.pk
    return known.conversations({pair}).get(pair)


def _create_conversation(known: KnownRows, line: PhoneLine, contact: Contact, at: datetime) -> Conversation:
    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(
                company_id=line.company_id, contact=contact, phone_line=line, last_activity_at=at
            )
    except IntegrityError:  # another worker was faster
        conversation = Conversation.objects.select_for_update(no_key=True).get(contact=contact, phone_line=line)
    else:
        if _join_earlier_rows(conversation):
            known.forget()
    known.add_conversation(conversation)
    return conversation


def _move_forward(conversation: Conversation, at: datetime) -> bool:
    """Move the last activity forward to `at`, without saving. Return whether it was earlier."""
    if at <= conversation.last_activity_at:
        return False
    conversation.last_activity_at = at
    return True


def _join_earlier_rows(conversation: Conversation) -> bool:
    """Give a new conversation the calls and messages to its contact that were reported before it, if any.

    They had no contact or conversation yet. The result doesn't depend on the order of the webhook events.
    """
    contact, line, started_at = conversation.contact, conversation.phone_line, conversation.last_activity_at
    before = started_at, conversation.status
    found = False
    for find in (outgoing_calls_to, outgoing_messages_to):
        rows = find(contact.phone).filter(
            Q(contact=None) | Q(contact=contact, activity__conversation=None),
            activity__isnull=False,  # an imported call may have none
            created_at__gte=started_at - JOIN_WITHIN,
        )
        for row in rows.select_related("activity"):
            found = True
            row.contact = row.activity.contact = contact
            if row.phone_line_id == line.pk or (row.phone_line_id is None and row.from_number == line.number):
                row.phone_line, row.activity.conversation = line, conversation
                if row.created_at > conversation.last_activity_at:
                    conversation.last_activity_at, conversation.status = row.created_at, ConversationStatus.OPEN
            row.save(update_fields=["contact", "phone_line"])
            row.activity.save(update_fields=["contact", "conversation"])
    if (conversation.last_activity_at, conversation.status) != before:
        conversation.save(update_fields=["last_activity_at", "status"])
    return found

"""Conversations from providers' events, which arrive in any order, repeatedly, and in many workers.

Rows are always locked in the same order (number, line, contact, conversation, activity), so that two workers with
events of the same caller don't deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from crm.choices import ConversationStatus, Direction
from crm.db.bulk import update_rows
from crm.db.tenancy import current_company_id
from crm.models import Contact, Conversation, PhoneLine
from crm.phones import InvalidPhone, normalize_phone
from crm.query_slots import outgoing_calls_to, outgoing_messages_to
from crm.services.contacts import get_or_create_contact
from crm.services.event_lines import choose_line, complete_phone_line
from crm.services.known_rows import KnownRows, line_keys

JOIN_WITHIN = timedelta(days=7)  # longer than providers repeat an event

FIND_EARLIER = (outgoing_calls_to, outgoing_messages_to)

LEFT_ALONE = (ConversationStatus.SNOOZED, ConversationStatus.CLOSED)  # by outgoing messages and calls

OUTSIDE_NUMBER = "outside number"  # kind of a lock


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
    places = [find_place(known, provider, event) for event in events]
    known.lock_names(OUTSIDE_NUMBER, {place.outside for place in places if place.outside})
    contacts = known.contacts({place.phone for place in places} - {""})
    known.conversations(
        {(contacts[place.phone].pk, place.line.pk) for place in places if place.line and place.phone in contacts}
    )
    known.lock_contacts(contact.pk for contact in contacts.values())
    ids = {event.openphone_id for event in events}
    known.activities(ids)
    known.archived(ids)


@dataclass(frozen=True)
class Place:
    """Line and outside number of an event."""

    line: PhoneLine | None
    outside: str  # the number outside, as in ConversationContext
    phone: str  # that number as E.164; "" if it can't be called back
    is_internal: bool


def find_place(known: KnownRows, provider: str, event: Reported) -> Place:
    """Return where an event belongs, as `resolve_conversation` finds it. Nothing is created."""
    lines = known.lines(line_keys(provider, event.line_id, {*event.company_numbers, *event.outside_numbers}))
    parties = _identify_parties(event.company_numbers, event.outside_numbers, {line.number for line in lines})
    line = choose_line(lines, provider, event.line_id, parties.company)
    return Place(line, parties.outside, _phone_of(parties.outside), parties.is_internal)


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
    line = choose_line(lines, provider, line_id, parties.company)
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


def update_conversation(context: ConversationContext, *, is_new: bool, direction: str, answered: bool = False) -> None:
    """Save the conversation of an event, once for each event.

    After a new activity its status is `waiting` if the newest activity is incoming and unanswered. An incoming activity
    reopens a closed or snoozed conversation; an outgoing one leaves it as it is.

    Args:
        is_new: whether the event adds an activity, or an answer.
    """
    changed = change_conversation(context, is_new=is_new, direction=direction, answered=answered)
    if changed and context.conversation:
        context.conversation.save(update_fields=changed)


def change_conversation(
    context: ConversationContext, *, is_new: bool, direction: str, answered: bool = False
) -> list[str]:
    """Change the conversation as `update_conversation` does, without saving. Return the names of changed fields."""
    conversation = context.conversation
    if conversation is None:
        return []
    incoming = direction == Direction.INCOMING
    changed = ["last_activity_at"] * context.is_moved
    if is_new and context.is_newest and (incoming or conversation.status not in LEFT_ALONE):
        conversation.status = ConversationStatus.WAITING if incoming and not answered else ConversationStatus.OPEN
        conversation.snoozed_until = None
        changed += ["status", "snoozed_until"]
    return changed


def save_conversations(conversations: Iterable[Conversation]) -> None:
    """Save what events change, of locked conversations that aren't snoozed until a time."""
    rows = [(one.pk, one.last_activity_at, one.status) for one in conversations]
    update_rows(Conversation, ["last_activity_at", "status"], rows)


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


def create_conversations(known: KnownRows, begun: Mapping[tuple[Contact, PhoneLine], datetime]) -> None:
    """Create conversations by the times of their first activities. None may have earlier rows to join.

    Raises IntegrityError if another worker was faster.
    """
    rows = [
        Conversation(company_id=line.company_id, contact=contact, phone_line=line, last_activity_at=at)
        for (contact, line), at in begun.items()
    ]
    for conversation in Conversation.objects.bulk_create(rows):
        known.add_conversation(conversation)


def have_earlier_rows(contacts: Iterable[Contact], *, since: datetime) -> bool:
    """Return whether new conversations with these contacts, begun at `since` or later, would join earlier rows."""
    contacts = list(contacts)
    phones = [contact.phone for contact in contacts]
    return any(_earlier_rows(find(phones), contacts, since).exists() for find in FIND_EARLIER)


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
    for find in FIND_EARLIER:
        for row in _earlier_rows(find([contact.phone]), [contact], started_at).select_related("activity"):
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


def _earlier_rows(rows: QuerySet, contacts: Sequence[Contact], started_at: datetime) -> QuerySet:
    """Return those of outgoing calls or messages to these contacts that a conversation begun at `started_at` lacks."""
    return rows.filter(
        Q(contact=None) | Q(contact__in=contacts, activity__conversation=None),
        activity__isnull=False,  # an imported call may have none
        created_at__gte=started_at - JOIN_WITHIN,
    )

"""New messages that change nothing but their conversation, recorded together in a few statements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from calls.services.attachments.noting import note_files_of_messages
from crm.choices import ActivityType, Direction
from crm.db.tenancy import current_company_id
from crm.models import Activity, Contact, PhoneLine
from crm.services.conversations import (
    Place,
    change_conversation,
    create_conversations,
    find_place,
    have_earlier_rows,
    resolve_conversation,
    save_conversations,
)
from crm.services.known_rows import KnownRows, Pair
from messaging.choices import LOST, OUTCOME_UNKNOWN, MessageStatus
from messaging.models import Message
from messaging.providers.events import Event, MessageEvent, PhoneEvent
from messaging.services.inbound.awaited_messages import find_waiting
from messaging.services.inbound.messages import reported_status
from messaging.services.inbound.opt_out_keywords import asks_nothing
from messaging.services.inbound.reminder_answers import find_answer

WITHOUT_ID = (*OUTCOME_UNKNOWN, MessageStatus.HELD)  # of which an event may be the first report


@dataclass(frozen=True)
class _Plain:
    """An event of a new message between a known contact and a known line."""

    event: MessageEvent
    place: Place
    line: PhoneLine
    contact: Contact

    @property
    def pair(self) -> Pair:
        return self.contact.pk, self.line.pk

    @property
    def is_incoming(self) -> bool:
        return self.event.direction == Direction.INCOMING


def record_plain_messages(*, provider: str, events: Sequence[Event | None], known: KnownRows) -> set[int]:
    """Record the messages for which nothing waits. Returns the indexes of their events.

    All others are recorded one by one: a message that is known, the first one of a contact; one that ends a missed
    call, replies to a campaign or a reminder, or may be an opt-out; a report of a message that is being sent. So is
    everything else of the same number, in the order of arrival.

    Args:
        known: the rows of the events, read in advance in this transaction.

    Raises:
        IntegrityError: another worker was faster.
    """
    places = {
        index: find_place(known, provider, event) for index, event in enumerate(events) if isinstance(event, PhoneEvent)
    }
    found = {
        index: plain for index, plain in _find_new(known, events, places).items() if _has_plain_content(plain.event)
    }
    found = _without_awaited(known, found)
    others = {place.outside for index, place in places.items() if index not in found}
    found = {index: plain for index, plain in found.items() if plain.place.outside not in others}
    if len(found) < 2:
        return set()
    _record(provider, known, list(found.values()))
    return set(found)


def _find_new(known: KnownRows, events: Sequence[Event | None], places: dict[int, Place]) -> dict[int, _Plain]:
    """Return the messages of known contacts and lines that were not reported before."""
    ids = Counter(getattr(event, "openphone_id", "") for event in events)
    contacts = known.contacts({place.phone for place in places.values()} - {""})
    messages = {index: event for index, event in enumerate(events) if isinstance(event, MessageEvent)}
    reported = {event.openphone_id for event in messages.values()}
    reported = known.activities(reported).keys() | known.archived(reported)
    found = {}
    for index, event in messages.items():
        place = places[index]
        contact = contacts.get(place.phone)
        is_new = ids[event.openphone_id] == 1 and event.openphone_id not in reported
        if is_new and place.line and contact and not place.is_internal:
            found[index] = _Plain(event, place, place.line, contact)
    return found


def _has_plain_content(event: MessageEvent) -> bool:
    if event.direction == Direction.OUTGOING:
        return len(event.outside_numbers) == 1 and not event.error_code and event.status not in LOST
    return (
        event.from_number not in event.company_numbers  # a line that writes to itself
        and asks_nothing(from_number=event.from_number, body=event.body, opt_out_type=event.opt_out_type)
        and find_answer(event.body) is None
    )


def _without_awaited(known: KnownRows, found: dict[int, _Plain]) -> dict[int, _Plain]:
    """Leave out messages for which something may wait."""
    waiting = find_waiting([(plain.contact.pk, plain.event.created_at) for plain in found.values()])
    found = {
        index: plain
        for (index, plain), waits in zip(found.items(), waiting, strict=True)
        if not (any(waits) if plain.is_incoming else waits.invalid_number)
    }
    return _without_earlier(known, _without_unreported(found))


def _without_unreported(found: dict[int, _Plain]) -> dict[int, _Plain]:
    """Leave out reports that may be the first ones of messages that this product sends."""
    receivers = {plain.contact.pk for plain in found.values() if not plain.is_incoming}
    if not receivers:
        return found
    sending = Message.objects.filter(contact__in=receivers, activity__openphone_id=None, status__in=WITHOUT_ID)
    sending_to = set(sending.values_list("contact", flat=True))
    return {index: plain for index, plain in found.items() if plain.is_incoming or plain.contact.pk not in sending_to}


def _without_earlier(known: KnownRows, found: dict[int, _Plain]) -> dict[int, _Plain]:
    """Leave out messages whose conversation is snoozed, would be given earlier rows, or isn't theirs to begin."""
    conversations = known.conversations({plain.pair for plain in found.values()}) if found else {}
    begun = [plain for plain in found.values() if plain.is_incoming and plain.pair not in conversations]
    may_begin = bool(begun) and not have_earlier_rows(
        {plain.contact for plain in begun}, since=min(plain.event.created_at for plain in begun)
    )
    return {
        index: plain
        for index, plain in found.items()
        if (
            conversations[plain.pair].snoozed_until is None
            if plain.pair in conversations
            else plain.is_incoming and may_begin
        )
    }


def _record(provider: str, known: KnownRows, messages: Sequence[_Plain]) -> None:
    conversations = known.conversations({plain.pair for plain in messages})
    begun: dict[tuple[Contact, PhoneLine], datetime] = {}
    for plain in messages:
        if plain.pair not in conversations:
            begun.setdefault((plain.contact, plain.line), plain.event.created_at)
    create_conversations(known, begun)
    activities, changed = [], {}
    for plain in messages:
        event = plain.event
        context = resolve_conversation(
            known=known,
            provider=provider,
            line_id=event.line_id,
            company_numbers=event.company_numbers,
            outside_numbers=event.outside_numbers,
            direction=event.direction,
            at=event.created_at,
        )
        if context.conversation and change_conversation(context, is_new=True, direction=event.direction):
            changed[context.conversation.pk] = context.conversation
        activities.append(
            Activity(
                company_id=current_company_id(),
                openphone_id=event.openphone_id,
                activity_type=ActivityType.MESSAGE,
                direction=event.direction,
                created_at=event.created_at,
                contact=plain.contact,
                conversation=context.conversation,
                body=event.body,
            )
        )
    for activity in Activity.objects.bulk_create(activities):
        known.add_activity(activity)
    Message.objects.bulk_create(
        Message(
            company_id=activity.company_id,
            activity=activity,
            contact=plain.contact,
            phone_line=plain.line,
            direction=plain.event.direction,
            from_number=plain.event.from_number,
            to_numbers=[*plain.event.to_numbers],
            body=plain.event.body,
            media=[*plain.event.media],
            status=reported_status(plain.event.status),
            error_code=plain.event.error_code,
            created_at=plain.event.created_at,
        )
        for plain, activity in zip(messages, activities, strict=True)
    )
    note_files_of_messages(
        [(activity, plain.event.media) for plain, activity in zip(messages, activities, strict=True)], provider=provider
    )
    save_conversations(changed.values())

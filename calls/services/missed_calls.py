"""The queue of missed callers: who rang in vain, until they are reached.

A place in the queue is a stretch of missed calls with nothing between them by which the caller was reached. Deliveries
come late and in any order, so each step looks on both sides of the time that it is told of, and ends in the same
places as if all had come in order.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from calls.choices import CallStatus, Recovery, TextBack
from calls.models import Appointment, Call, MissedCaller
from crm.choices import ActivityType, Direction
from crm.models import Activity, Contact

FRESH = timedelta(minutes=30)  # a "sorry we missed you" that comes later than this only puzzles


def update_missed_queue(*, call: Call, answered: bool) -> None:
    """Move the queue on by a call that is over, however often it is told of."""
    if call.contact is None:
        return
    if answered:
        _take_back(call, call.contact)
        mark_recovered(contact=call.contact, at=call.created_at, by=Recovery.CALL)
    elif call.status == CallStatus.MISSED:
        queue_missed_call(call=call, contact=call.contact)


def queue_missed_call(*, call: Call, contact: Contact) -> None:
    """Give the contact its place in the queue, or count the missed call to the place that it has.

    Who was talked to, texted us or booked later than this call rang has left that place already.
    """
    at = call.created_at
    with transaction.atomic():
        _wait_for_others(contact)
        reached = _reached_after(contact, at)
        place = contact.missed_callers.open_or_recovered_after(at).first()
        if place is None or (reached and (place.recovered_at is None or place.recovered_at > reached[0])):
            place = MissedCaller(company_id=call.company_id, contact=contact, first_missed_at=at, last_missed_at=at)
            if reached:
                place.recovered_at, place.recovered_by = reached
        if at >= place.last_missed_at:
            place.phone_line = call.phone_line
        _recount(place, min(place.first_missed_at, at), max(place.last_missed_at, at))
        if place.text_back == TextBack.OFF and place.recovered_at is None and _may_text(call):
            place.text_back = TextBack.DUE
        place.save()


def mark_recovered(*, contact: Contact, at: datetime, by: Recovery) -> None:
    """The contact was reached at `at`, and leaves the place in the queue that it had then, if any.

    Where it rang in vain once more after that, those calls are a place of their own. A text that we send by ourselves
    reaches nobody: it is no recovery.
    """
    with transaction.atomic():
        _wait_for_others(contact)
        place = contact.missed_callers.active_at(at).first()
        if place is None:
            return
        rest = MissedCaller(
            company_id=contact.company_id,
            contact=contact,
            phone_line=place.phone_line,
            recovered_at=place.recovered_at,
            recovered_by=place.recovered_by,
        )
        is_split = _recount(rest, at, place.last_missed_at)
        if is_split:
            _recount(place, place.first_missed_at, at - timedelta.resolution)
        if place.text_back == TextBack.DUE:
            place.text_back = TextBack.OFF
        place.recovered_at, place.recovered_by = at, by
        place.save()
        if is_split:
            rest.save()


def mark_recovered_manually(*, caller: MissedCaller) -> MissedCaller:
    """Somebody of us says that the caller was reached. Whoever has left the queue already stays as they are."""
    if caller.recovered_at is None:
        mark_recovered(contact=caller.contact, at=timezone.now(), by=Recovery.MANUAL)
        caller.refresh_from_db()
    return caller


def _take_back(call: Call, contact: Contact) -> None:
    """A call that may have counted as missed was answered after all."""
    at = call.created_at
    with transaction.atomic():
        _wait_for_others(contact)
        for place in contact.missed_callers.filter(first_missed_at__lte=at, last_missed_at__gte=at):
            if _recount(place, place.first_missed_at, place.last_missed_at):
                place.save()
            else:
                place.delete()


def _wait_for_others(contact: Contact) -> None:
    """Whoever else moves this contact in the queue waits, and then sees what was told here: of a missed call and a
    reply that come at the same instant, one finds the other."""
    Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)


def _reached_after(contact: Contact, at: datetime) -> tuple[datetime, Recovery] | None:
    """When, and how, the contact was first reached after `at`."""
    texts = Activity.objects.filter(
        contact=contact, activity_type=ActivityType.MESSAGE, direction=Direction.INCOMING, created_at__gt=at
    )
    talks = Call.objects.talked().filter(contact=contact, created_at__gt=at)
    visits = Appointment.objects.filter(contact=contact, created_at__gt=at)
    first = [
        (row.created_at, by)
        for rows, by in ((texts, Recovery.REPLY), (talks, Recovery.CALL), (visits, Recovery.BOOKING))
        if (row := rows.only("created_at").order_by("created_at").first())
    ]
    return min(first, default=None)


def _may_text(call: Call) -> bool:
    is_fresh = call.created_at >= timezone.now() - FRESH
    return is_fresh and call.phone_line is not None and bool(call.company.missed_call_text)


def _recount(place: MissedCaller, first: datetime, last: datetime) -> bool:
    """Set the times and the number of the contact's missed calls from `first` to `last`. False if there are none."""
    missed = place.contact.calls.missed().filter(created_at__range=(first, last))
    span = missed.aggregate(
        first_missed_at=Min("created_at"), last_missed_at=Max("created_at"), missed_calls=Count("pk")
    )
    if not span["missed_calls"]:
        return False
    for name, value in span.items():
        setattr(place, name, value)
    return True

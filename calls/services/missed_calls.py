"""The missed queue.

An entry is a series of a contact's missed calls without a recovery between them. Webhook events arrive late and out of
order, so each update considers entries before and after its own time. The result is the same as for events in order.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from calls.choices import CallStatus, Recovery, TextBack
from calls.models import Appointment, Call, MissedCaller
from crm.choices import ActivityType, Direction
from crm.error_codes import ErrorCode
from crm.models import Activity, Contact, User
from crm.refusals import Refusal

MAX_TEXT_BACK_AGE = timedelta(minutes=30)  # a later "sorry we missed you" confuses the caller


class NotMarked(Refusal):
    """No user has marked the caller as recovered."""

    code = ErrorCode.NOT_MARKED


# In general there is none: this saves reading the contact's entries twice.
HAS_ENTRY = """
SELECT EXISTS (SELECT 1 FROM missed_callers WHERE contact_id = %s AND (recovered_at IS NULL OR recovered_at >= %s))
"""


def update_missed_queue(*, call: Call, answered: bool) -> None:
    """Update the queue after a call has ended; repeats are harmless. The caller has locked the call's contact."""
    if call.contact is None:
        return
    if not answered:
        if call.status == CallStatus.MISSED:
            queue_missed_call(call=call, contact=call.contact)
    elif _has_entry(call.contact, call.created_at):
        _remove_answered_call(call, call.contact)
        mark_recovered(contact=call.contact, at=call.created_at, by=Recovery.CALL)


def queue_missed_call(*, call: Call, contact: Contact) -> None:
    """Create the contact's entry in the queue, or count the missed call in the open one.

    If the contact was reached after this call, the entry is recovered at once.
    """
    at = call.created_at
    with transaction.atomic(savepoint=False):
        _lock_contact(contact)
        reached = reached_after(contact, at)
        entry = _locked(contact.missed_callers.open_or_recovered_after(at)).first()
        if entry is None or (reached and (entry.recovered_at is None or entry.recovered_at > reached[0])):
            entry = MissedCaller(company_id=call.company_id, contact=contact, first_missed_at=at, last_missed_at=at)
            if reached:
                entry.recovered_at, entry.recovered_by = reached
        if at >= entry.last_missed_at:
            entry.phone_line = call.phone_line
        _recount(entry, min(entry.first_missed_at, at), max(entry.last_missed_at, at))
        if entry.text_back == TextBack.OFF and entry.recovered_at is None and _may_text(call):
            entry.text_back = TextBack.DUE
        entry.save()


def mark_recovered(*, contact: Contact, at: datetime, by: Recovery, user: User | None = None) -> None:
    """Close the contact's entry that was open at `at`, if any. `user` is who says so, if somebody does.

    Missed calls after `at` become an entry of their own. An outgoing message isn't a recovery.
    """
    with transaction.atomic(savepoint=False):
        _lock_contact(contact)
        entry = _locked(contact.missed_callers.active_at(at)).first()
        if entry is None:
            return
        rest = MissedCaller(
            company_id=contact.company_id,
            contact=contact,
            phone_line=entry.phone_line,
            recovered_at=entry.recovered_at,
            recovered_by=entry.recovered_by,
            recovered_user=entry.recovered_user,
        )
        is_split = _recount(rest, at, entry.last_missed_at)
        if is_split:
            _recount(entry, entry.first_missed_at, at - timedelta.resolution)
        if entry.text_back == TextBack.DUE:
            entry.text_back = TextBack.OFF
        entry.recovered_at, entry.recovered_by, entry.recovered_user = at, by, user
        entry.claimed_by = entry.claimed_until = None
        entry.save()
        if is_split:
            rest.save()


def mark_recovered_manually(*, caller: MissedCaller, user: User | None = None) -> MissedCaller:
    """Close an entry by hand; a recovered entry stays unchanged."""
    if caller.recovered_at is None:
        mark_recovered(contact=caller.contact, at=timezone.now(), by=Recovery.MANUAL, user=user)
        caller.refresh_from_db()
    return caller


def undo_recovery(*, caller: MissedCaller) -> None:
    """Take back that a user has marked the caller as recovered: the result is as if nobody had.

    Raises:
        NotMarked: the caller waits, or was reached by a reply, a call or a booking.
    """
    contact = caller.contact
    with transaction.atomic(savepoint=False):
        _lock_contact(contact)
        entry = _locked(MissedCaller.objects).get(pk=caller.pk)
        if entry.recovered_at is None or entry.recovered_by != Recovery.MANUAL:
            raise NotMarked
        since = contact.missed_callers.filter(first_missed_at__gte=entry.recovered_at)
        later = _locked(since.order_by("first_missed_at")).first()
        reached = reached_after(contact, entry.last_missed_at)
        entry.recovered_at, entry.recovered_by, entry.recovered_user = None, "", None
        if reached and (later is None or reached[0] < later.first_missed_at):
            entry.recovered_at, entry.recovered_by = reached
        elif later:  # no recovery is between them
            entry.recovered_at, entry.recovered_by = later.recovered_at, later.recovered_by
            entry.recovered_user, entry.phone_line = later.recovered_user, later.phone_line
            entry.claimed_by, entry.claimed_until = later.claimed_by, later.claimed_until
            entry.missed_calls += later.missed_calls
            entry.last_missed_at = later.last_missed_at
            later.delete()
        entry.save()


def _remove_answered_call(call: Call, contact: Contact) -> None:
    """Uncount a call that was counted as missed but was answered."""
    at = call.created_at
    with transaction.atomic(savepoint=False):
        _lock_contact(contact)
        for entry in _locked(contact.missed_callers.filter(first_missed_at__lte=at, last_missed_at__gte=at)):
            if _recount(entry, entry.first_missed_at, entry.last_missed_at):
                entry.save()
            else:
                entry.delete()


def _has_entry(contact: Contact, at: datetime) -> bool:
    """Return whether the contact has an entry that is open, or was recovered at `at` or later."""
    with connection.cursor() as cursor:
        cursor.execute(HAS_ENTRY, [contact.pk, connection.ops.adapt_datetimefield_value(at)])
        return bool(cursor.fetchone()[0])


def _lock_contact(contact: Contact) -> None:
    """Serialize updates of the contact's queue entries: a simultaneous missed call and reply must see each other."""
    Contact.objects.select_for_update(no_key=True).values_list("pk").get(pk=contact.pk)


def _locked(entries: Any) -> Any:
    """Lock the entries that will be saved: claims and automatic messages change them without the contact's lock."""
    return entries.select_for_update(no_key=True, of=("self",))


def reached_after(contact: Contact, at: datetime) -> tuple[datetime, Recovery] | None:
    """Return time and kind of the contact's first recovery after `at`."""
    replies = Activity.objects.filter(
        contact=contact, activity_type=ActivityType.MESSAGE, direction=Direction.INCOMING, created_at__gt=at
    )
    calls = Call.objects.answered_calls().filter(contact=contact, created_at__gt=at)
    appointments = Appointment.objects.filter(contact=contact, created_at__gt=at)
    first = [
        (row.created_at, by)
        for rows, by in ((replies, Recovery.REPLY), (calls, Recovery.CALL), (appointments, Recovery.BOOKING))
        if (row := rows.only("created_at").order_by("created_at").first())
    ]
    return min(first, default=None)


def _may_text(call: Call) -> bool:
    is_recent = call.created_at >= timezone.now() - MAX_TEXT_BACK_AGE
    return is_recent and call.phone_line is not None and bool(call.company.text_after_missed_call(call.created_at))


def _recount(entry: MissedCaller, first: datetime, last: datetime) -> bool:
    """Set the entry's times and count from the missed calls between `first` and `last`. False if there are none."""
    missed = entry.contact.calls.missed().filter(created_at__range=(first, last))
    span = missed.aggregate(
        first_missed_at=Min("created_at"), last_missed_at=Max("created_at"), missed_calls=Count("pk")
    )
    if not span["missed_calls"]:
        return False
    for name, value in span.items():
        setattr(entry, name, value)
    return True

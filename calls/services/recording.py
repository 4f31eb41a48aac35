"""Calls, as providers tell of them when they are over."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from calls.choices import CallStatus
from calls.models import Call
from crm.choices import ActivityType, Direction
from crm.db.tenancy import current_company_id
from crm.services.conversations import fill_gaps, open_thread, record_activity

# A call only moves on: what a person or a booking made of it stays, whatever is delivered later.
_PROGRESS = (CallStatus.IN_PROGRESS, CallStatus.MISSED, CallStatus.UNBOOKED)


def record_call(
    *,
    provider: str,
    openphone_id: str,
    line_id: str,
    our_numbers: Sequence[str],
    outside_numbers: Sequence[str],
    direction: str,
    answered: bool,
    created_at: datetime,
    answered_at: datetime | None,
    completed_at: datetime | None,
    duration_s: int | None,
    recording_url: str,
    voicemail_url: str,
) -> Call:
    """The call of the company entered with this provider's id, however often and in whatever order it is told of.

    A second telling adds what was missing and may turn a missed call into an answered one, never the other way round.
    It makes no lead: people, bookings and analyses do.

    Raises:
        ActivityTypeClash: the id is known as something else than a call.
    """
    status = CallStatus.MISSED if direction == Direction.INCOMING and not answered else CallStatus.UNBOOKED
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
            activity_type=ActivityType.CALL,
            thread=thread,
            direction=direction,
            created_at=created_at,
        )
        from_number, to_number = thread.outside_number, thread.our_number
        if direction == Direction.OUTGOING:
            from_number, to_number = to_number, from_number
        said = {
            "contact": thread.contact,
            "phone_line": thread.line,
            "from_number": from_number,
            "to_number": to_number,
            "answered_at": answered_at,
            "completed_at": completed_at,
            "duration_s": duration_s,
            "recording_url": recording_url,
            "voicemail_url": voicemail_url,
        }
        call = Call.objects.select_for_update().filter(activity=activity).first()
        if call is None:
            return Call.objects.create(
                company_id=current_company_id(),
                activity=activity,
                direction=direction,
                status=status,
                created_at=created_at,
                **said,
            )
        changed = fill_gaps(call, **said)
        if call.status in _PROGRESS and _PROGRESS.index(status) > _PROGRESS.index(CallStatus(call.status)):
            call.set_status(status)
            changed += ["status", "booked"]
        if changed:
            call.save(update_fields=changed)
        return call

"""Ingest of calls from webhook events, in any order and with repeats."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from calls.choices import CallStatus
from calls.models import Call
from calls.services.attachments.noting import note_files_of_call
from calls.services.call_details import Recording, link_detail, lock_calls, record_call_detail
from calls.services.missed_calls import update_missed_queue
from calls.services.outcomes import add_missing_lead
from crm.choices import ActivityType, Direction
from crm.db.tenancy import current_company_id
from crm.services.activities import record_activity
from crm.services.contacts import name_contact
from crm.services.conversations import ConversationContext, resolve_conversation, update_conversation
from crm.services.event_fields import fill_blank_fields, keep_earliest
from crm.services.known_rows import KnownRows

_URL_LENGTH = 500  # the columns' length; longer URLs are kept in the call details


def record_call(
    *,
    provider: str,
    openphone_id: str,
    line_id: str,
    company_numbers: Sequence[str],
    outside_numbers: Sequence[str],
    direction: str,
    answered: bool,
    ended: bool,
    created_at: datetime,
    answered_at: datetime | None = None,
    completed_at: datetime | None = None,
    duration_s: int | None = None,
    recordings: Sequence[Recording] = (),
    voicemail_url: str = "",
    voicemail_transcript: str = "",
    forwarded_to: str = "",
    menu_choice: str = "",
    outside_name: str = "",
    known: KnownRows | None = None,
) -> Call:
    """Create or update the active tenant's call with this provider's id.

    A repeat fills blank fields and may turn a missed call into an answered one, never the reverse. Leads come from
    people, bookings and analyses, not from here; a call that a person has booked gets its lead with its contact.

    Args:
        known: rows that were read in advance in this transaction.

    Raises:
        IdClash: the id belongs to an activity of another type.
    """
    known = known or KnownRows()
    with transaction.atomic():
        lock_calls(known, [openphone_id])
        context = resolve_conversation(
            known=known,
            provider=provider,
            line_id=line_id,
            company_numbers=company_numbers,
            outside_numbers=outside_numbers,
            direction=direction,
            at=created_at,
        )
        call, changed = _write_call(
            known,
            context,
            openphone_id=openphone_id,
            direction=direction,
            created_at=created_at,
            answered=answered,
            ended=ended,
            answered_at=answered_at,
            completed_at=completed_at,
            duration_s=duration_s,
            recording_url=_first_url(recordings),
            voicemail_url=voicemail_url if len(voicemail_url) <= _URL_LENGTH else "",
        )
        if recordings or forwarded_to or menu_choice or voicemail_transcript:
            record_call_detail(
                openphone_id=openphone_id,
                recordings=recordings,
                forwarded_to=forwarded_to,
                menu_choice=menu_choice,
                voicemail_transcript=voicemail_transcript,
            )
        else:
            link_detail(call=call, openphone_id=openphone_id)
        note_files_of_call(call, provider=provider, recordings=recordings, voicemail_url=voicemail_url)
        if call.voicemail_url or voicemail_transcript:
            changed |= _record_voicemail_activity(
                known, call, context, openphone_id=openphone_id, transcript=voicemail_transcript
            )
        if outside_name and context.contact:
            name_contact(contact=context.contact, name=outside_name)
        update_conversation(context, is_new=changed, direction=call.direction, answered=_was_answered(call))
        if call.contact_id:
            known.lock_contacts([call.contact_id])
        update_missed_queue(call=call, answered=answered)
        return call


def record_voicemail(
    *,
    url: str,
    transcript: str,
    duration_s: int | None,  # noqa: ARG001  # the voicemail's length, not talk time
    **call: Any,
) -> Call:
    """Create or update the call that ended in a voicemail; the voicemail may arrive before the call.

    The call counts as missed unless another event says that it was answered.

    Args:
        call: arguments of `record_call` that identify the call: parties, direction, time.
    """
    return record_call(answered=False, ended=True, voicemail_url=url, voicemail_transcript=transcript, **call)


def _write_call(
    known: KnownRows,
    context: ConversationContext,
    *,
    openphone_id: str,
    direction: str,
    created_at: datetime,
    answered: bool,
    ended: bool,
    **fields: Any,
) -> tuple[Call, bool]:
    """Return the call, and whether it is new or was found to be answered."""
    if not answered:
        fields["duration_s"] = None  # ringing or a voicemail, not talk time
    recorded = record_activity(
        known=known,
        openphone_id=openphone_id,
        activity_type=ActivityType.CALL,
        context=context,
        direction=direction,
        created_at=created_at,
    )
    from_number, to_number = context.outside_number, context.company_number
    if direction == Direction.OUTGOING:
        from_number, to_number = to_number, from_number
    fields |= {
        "contact": context.contact,
        "phone_line": context.line,
        "from_number": from_number,
        "to_number": to_number,
    }
    activity = recorded.activity
    call = None if recorded.created else Call.objects.select_for_update().filter(activity=activity).first()
    _drop_contradictions(call, fields, created_at)
    if call is None:
        status = _status(direction, answered=answered, ended=ended)
        call = Call(company_id=current_company_id(), activity=activity, direction=direction, created_at=created_at)
        for name, value in fields.items():
            setattr(call, name, value)
        call.set_status(status)
        call.save(force_insert=True)
        return call, True
    was_answered = _was_answered(call)
    changed = fill_blank_fields(call, **fields) + keep_earliest(call, created_at)
    status = _status(
        call.direction, answered=answered or _was_answered(call), ended=ended or call.status != CallStatus.IN_PROGRESS
    )
    # A call only advances: a later event never replaces a status that a person or a booking has set.
    before, after = CallStatus(call.status).progress, status.progress
    if before is not None and after is not None and after > before:
        call.set_status(status)
        changed += ["status", "booked"]
    if "contact" in changed and add_missing_lead(call):
        changed.append("lead")
    if changed:
        call.save(update_fields=changed)
    return call, recorded.is_new or _was_answered(call) != was_answered


def _drop_contradictions(call: Call | None, fields: dict[str, Any], created_at: datetime) -> None:
    """Leave out new times before the start, and an end before the answer: events of one call may disagree."""
    stored = call or Call(created_at=created_at)
    start = min(stored.created_at, created_at)
    for name in ("answered_at", "completed_at"):
        if fields[name] and fields[name] < start:
            fields[name] = None
    answered_at = stored.answered_at or fields["answered_at"]
    completed_at = stored.completed_at or fields["completed_at"]
    if answered_at and completed_at and completed_at < answered_at:
        fields["answered_at" if stored.completed_at else "completed_at"] = None


def _status(direction: str, *, answered: bool, ended: bool) -> CallStatus:
    if not ended:
        return CallStatus.IN_PROGRESS
    return CallStatus.MISSED if direction == Direction.INCOMING and not answered else CallStatus.UNBOOKED


def _was_answered(call: Call) -> bool:
    return bool(call.answered_at) or call.status not in (CallStatus.IN_PROGRESS, CallStatus.MISSED)


def _record_voicemail_activity(
    known: KnownRows, call: Call, context: ConversationContext, *, openphone_id: str, transcript: str
) -> bool:
    """Record the voicemail's activity once, at the time of its call. Return whether it is new."""
    return record_activity(
        known=known,
        openphone_id=f"{openphone_id}:voicemail",
        activity_type=ActivityType.VOICEMAIL,
        context=context,
        direction=call.direction,
        created_at=call.created_at,
        body=transcript,
    ).is_new


def _first_url(recordings: Sequence[Recording]) -> str:
    return next((file["url"] for file in recordings if len(file["url"]) <= _URL_LENGTH), "")

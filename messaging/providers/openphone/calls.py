"""Calls and voicemails, as OpenPhone tells of them."""

from typing import Any

from crm.choices import Direction
from messaging.providers import fields
from messaging.providers.events import CallEvent, FieldError, VoicemailEvent
from messaging.providers.openphone.envelopes import Told

ANSWERED = ("answered", "ai-handled", "forwarded")  # in their place mostly stands "completed", which says nothing
MAX_FORWARDED_TO, MAX_MENU_CHOICE = 100, 200  # as the columns have them


def read_call(told: Told) -> CallEvent:
    """It rings, was passed on, or a key of the phone menu was pressed: no more is known.

    The times that may stand there are not believed: a documented sample rings and has an answer and an end.
    """
    choice = [fields.code(told.resource, "phoneMenuSelection"), fields.text(told.resource, "phoneMenuSelectionName")]
    return CallEvent(
        # Only what came in is passed on or hears a menu; these two alone leave the direction out.
        **_occurrence(told, default_direction="" if told.type == "call.ringing" else Direction.INCOMING),
        answered=False,
        over=False,
        answered_at=None,
        completed_at=None,
        duration_s=None,
        recordings=_recordings(told),
        forwarded_to=_forwarded_to(told),
        menu_choice=" ".join(filter(None, choice))[:MAX_MENU_CHOICE],
    )


def read_answered_call(told: Told) -> CallEvent:
    """Somebody picked up: one of us, or on the other side a person or their voicemail."""
    return CallEvent(
        **_occurrence(told),
        answered=True,
        over=False,
        answered_at=fields.instant(told.resource, "answeredAt"),
        completed_at=None,
        duration_s=None,
    )


def read_completed_call(told: Told) -> CallEvent:
    """It is over, or was missed, which is said of incoming calls alone, without their direction."""
    answered_at = fields.instant(told.resource, "answeredAt")
    completed_at = fields.instant(told.resource, "completedAt")
    answered = answered_at is not None or fields.text(told.resource, "status") in ANSWERED
    duration_s = fields.seconds(told.resource, "duration") if answered else None
    if duration_s is None and answered_at and completed_at:
        duration_s = min(max(0, round((completed_at - answered_at).total_seconds())), fields.MAX_SECONDS)
    return CallEvent(
        **_occurrence(told, default_direction=Direction.INCOMING if told.type == "call.missed" else ""),
        answered=answered,
        over=True,
        answered_at=answered_at,
        completed_at=completed_at,
        duration_s=duration_s,
        recordings=_recordings(told),
        voicemail_url=fields.file_url(told.resource, "voicemail"),
        forwarded_to=_forwarded_to(told),
    )


def read_recorded_call(told: Told) -> CallEvent:
    """What was said can be heard. Where the time of the answer is missing, too, that makes no missed call of it."""
    return read_completed_call(told) if told.resource.get("answeredAt") else read_call(told)


def read_voicemail(told: Told) -> VoicemailEvent:
    """A caller spoke to the machine. One that names no call is known by its own id."""
    return VoicemailEvent(
        **_occurrence(told, id_field="callId" if told.resource.get("callId") else "id"),
        url=fields.file_url(told.resource, "recordingUrl"),
        transcript=fields.text(told.resource, "transcript"),
        duration_s=fields.seconds(told.resource, "duration"),
    )


def _occurrence(told: Told, *, id_field: str = "id", default_direction: str = "") -> dict[str, Any]:
    direction = fields.text(told.resource, "direction") or default_direction
    if direction not in Direction.values:
        raise FieldError("direction", f"must be one of: {', '.join(Direction.values)}")
    our_numbers, outside_numbers = _numbers(told, direction)
    return {
        "openphone_id": fields.identifier(told.resource, id_field),
        "line_id": told.line_id,
        "our_numbers": our_numbers,
        "outside_numbers": outside_numbers,
        "direction": direction,
        "created_at": told.created_at,
    }


def _numbers(told: Told, direction: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ours and the outside ones. API v4 doesn't say which is which: then both are all participants."""
    parties = told.context.get("participants")
    if isinstance(parties, dict):
        return fields.numbers(parties, "workspace"), fields.numbers(parties, "external")
    if "participants" in told.resource:
        participants = fields.numbers(told.resource, "participants")
        return participants, participants
    caller, called = fields.numbers(told.resource, "from"), fields.numbers(told.resource, "to")
    return (called, caller) if direction == Direction.INCOMING else (caller, called)


def _recordings(told: Told) -> tuple[dict[str, str], ...]:
    return fields.attachments(told.resource, "recordings") or fields.attachments(told.resource, "media")


def _forwarded_to(told: Told) -> str:
    """A number, or the provider's id of one of us."""
    return fields.text(told.resource, "forwardedTo")[:MAX_FORWARDED_TO]

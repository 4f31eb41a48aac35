"""Calls and voicemails, as OpenPhone tells of them."""

from typing import Any

from crm.choices import Direction
from messaging.providers import fields
from messaging.providers.events import CallEvent, FieldError, VoicemailEvent
from messaging.providers.openphone.envelopes import OpenedEnvelope

ANSWERED = ("answered", "ai-handled", "forwarded")  # in their place mostly stands "completed", which says nothing
MAX_FORWARDED_TO, MAX_MENU_CHOICE = 100, 200  # as the columns have them


def read_call(opened: OpenedEnvelope) -> CallEvent:
    """It rings, was passed on, or a key of the phone menu was pressed: no more is known.

    The times that may stand there are not believed: a documented sample rings and has an answer and an end.
    """
    choice = [
        fields.code(opened.resource, "phoneMenuSelection"),
        fields.text(opened.resource, "phoneMenuSelectionName"),
    ]
    return CallEvent(
        # Only what came in is passed on or hears a menu; these two alone leave the direction out.
        **_occurrence(opened, default_direction="" if opened.type == "call.ringing" else Direction.INCOMING),
        answered=False,
        over=False,
        answered_at=None,
        completed_at=None,
        duration_s=None,
        recordings=_recordings(opened),
        forwarded_to=_forwarded_to(opened),
        menu_choice=" ".join(filter(None, choice))[:MAX_MENU_CHOICE],
    )


def read_answered_call(opened: OpenedEnvelope) -> CallEvent:
    """Somebody picked up: one of us, or on the other side a person or their voicemail."""
    return CallEvent(
        **_occurrence(opened),
        answered=True,
        over=False,
        answered_at=fields.instant(opened.resource, "answeredAt"),
        completed_at=None,
        duration_s=None,
    )


def read_completed_call(opened: OpenedEnvelope) -> CallEvent:
    """It is over, or was missed, which is said of incoming calls alone, without their direction."""
    answered_at = fields.instant(opened.resource, "answeredAt")
    completed_at = fields.instant(opened.resource, "completedAt")
    answered = answered_at is not None or fields.text(opened.resource, "status") in ANSWERED
    duration_s = fields.seconds(opened.resource, "duration") if answered else None
    if duration_s is None and answered_at and completed_at:
        duration_s = min(max(0, round((completed_at - answered_at).total_seconds())), fields.MAX_SECONDS)
    return CallEvent(
        **_occurrence(opened, default_direction=Direction.INCOMING if opened.type == "call.missed" else ""),
        answered=answered,
        over=True,
        answered_at=answered_at,
        completed_at=completed_at,
        duration_s=duration_s,
        recordings=_recordings(opened),
        voicemail_url=fields.file_url(opened.resource, "voicemail"),
        forwarded_to=_forwarded_to(opened),
    )


def read_recorded_call(opened: OpenedEnvelope) -> CallEvent:
    """What was said can be heard. Where the time of the answer is missing, too, that makes no missed call of it."""
    return read_completed_call(opened) if opened.resource.get("answeredAt") else read_call(opened)


def read_voicemail(opened: OpenedEnvelope) -> VoicemailEvent:
    """A caller spoke to the machine. One that names no call is known by its own id."""
    return VoicemailEvent(
        **_occurrence(opened, id_field="callId" if opened.resource.get("callId") else "id"),
        url=fields.file_url(opened.resource, "recordingUrl"),
        transcript=fields.text(opened.resource, "transcript"),
        duration_s=fields.seconds(opened.resource, "duration"),
    )


def _occurrence(opened: OpenedEnvelope, *, id_field: str = "id", default_direction: str = "") -> dict[str, Any]:
    direction = fields.text(opened.resource, "direction") or default_direction
    if direction not in Direction.values:
        raise FieldError("direction", f"must be one of: {', '.join(Direction.values)}")
    our_numbers, outside_numbers = _numbers(opened, direction)
    return {
        "openphone_id": fields.identifier(opened.resource, id_field),
        "line_id": opened.line_id,
        "our_numbers": our_numbers,
        "outside_numbers": outside_numbers,
        "direction": direction,
        "created_at": opened.created_at,
    }


def _numbers(opened: OpenedEnvelope, direction: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ours and the outside ones. API v4 doesn't say which is which: then both are all participants."""
    parties = opened.context.get("participants")
    if isinstance(parties, dict):
        return fields.numbers(parties, "workspace"), fields.numbers(parties, "external")
    if "participants" in opened.resource:
        participants = fields.numbers(opened.resource, "participants")
        return participants, participants
    caller, called = fields.numbers(opened.resource, "from"), fields.numbers(opened.resource, "to")
    return (called, caller) if direction == Direction.INCOMING else (caller, called)


def _recordings(opened: OpenedEnvelope) -> tuple[dict[str, str], ...]:
    return fields.attachments(opened.resource, "recordings") or fields.attachments(opened.resource, "media")


def _forwarded_to(opened: OpenedEnvelope) -> str:
    """A number, or the provider's id of one of us."""
    return fields.text(opened.resource, "forwardedTo")[:MAX_FORWARDED_TO]

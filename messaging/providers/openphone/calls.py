"""OpenPhone's calls and voicemails."""

from typing import Any

from crm.choices import Direction
from messaging.providers import fields
from messaging.providers.errors import FieldError
from messaging.providers.event_times import is_future
from messaging.providers.events import CallEvent, VoicemailEvent
from messaging.providers.openphone.envelope import EventParts

ANSWERED = ("answered", "ai-handled", "forwarded")  # the usual value "completed" says nothing
MAX_FORWARDED_TO, MAX_MENU_CHOICE = 100, 200  # sizes of the columns


def read_call(parts: EventParts) -> CallEvent:
    """Return a call that rings, was forwarded, or whose caller chose from the phone menu.

    Its times are ignored: a documented sample of a ringing call has an answer and an end.
    """
    choice = [
        fields.code(parts.resource, "phoneMenuSelection"),
        fields.text(parts.resource, "phoneMenuSelectionName"),
    ]
    return CallEvent(
        # Only incoming calls are forwarded or get a menu; these two types omit the direction.
        **_common_fields(parts, default_direction="" if parts.type == "call.ringing" else Direction.INCOMING),
        answered=False,
        ended=False,
        answered_at=None,
        completed_at=None,
        duration_s=None,
        recordings=_recordings(parts),
        forwarded_to=_forwarded_to(parts),
        menu_choice=" ".join(filter(None, choice))[:MAX_MENU_CHOICE],
    )


def read_answered_call(parts: EventParts) -> CallEvent:
    """Return an answered call. A person or a voicemail picked up."""
    return CallEvent(
        **_common_fields(parts),
        answered=True,
        ended=False,
        answered_at=fields.instant(parts.resource, "answeredAt"),
        completed_at=None,
        duration_s=None,
    )


def read_completed_call(parts: EventParts) -> CallEvent:
    """Return a call that has ended. `call.missed` is sent for incoming calls only, without their direction."""
    answered_at = fields.instant(parts.resource, "answeredAt")
    completed_at = fields.instant(parts.resource, "completedAt")
    answered = answered_at is not None or fields.text(parts.resource, "status") in ANSWERED
    duration_s = fields.seconds(parts.resource, "duration") if answered else None
    if (
        duration_s is None
        and answered_at
        and completed_at
        and not is_future(completed_at, received_at=parts.received_at)
    ):
        duration_s = min(max(0, round((completed_at - answered_at).total_seconds())), fields.MAX_SECONDS)
    return CallEvent(
        **_common_fields(parts, default_direction=Direction.INCOMING if parts.type == "call.missed" else ""),
        answered=answered,
        ended=True,
        answered_at=answered_at,
        completed_at=completed_at,
        duration_s=duration_s,
        recordings=_recordings(parts),
        voicemail_url=fields.file_url(parts.resource, "voicemail"),
        forwarded_to=_forwarded_to(parts),
    )


def read_recorded_call(parts: EventParts) -> CallEvent:
    """Return a call with its recording. A missing answer time must not turn it into a missed call."""
    return read_completed_call(parts) if parts.resource.get("answeredAt") else read_call(parts)


def read_voicemail(parts: EventParts) -> VoicemailEvent:
    """Return a voicemail. Without a call id, its own id identifies it."""
    return VoicemailEvent(
        **_common_fields(parts, "callId", "id"),
        url=fields.file_url(parts.resource, "recordingUrl"),
        transcript=fields.text(parts.resource, "transcript"),
        duration_s=fields.seconds(parts.resource, "duration"),
    )


def _common_fields(parts: EventParts, *id_fields: str, default_direction: str = "") -> dict[str, Any]:
    direction = fields.text(parts.resource, "direction") or default_direction
    if direction not in Direction.values:
        raise FieldError("direction", f"must be one of: {', '.join(Direction.values)}")
    company_numbers, outside_numbers = _numbers(parts, direction)
    return {
        "openphone_id": parts.read_call_id(*(id_fields or ("id",))),
        "line_id": parts.line_id,
        "company_numbers": company_numbers,
        "outside_numbers": outside_numbers,
        "direction": direction,
        "created_at": parts.created_at,
    }


def _numbers(parts: EventParts, direction: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the company's and the outside numbers. API v4 doesn't distinguish them: both are then all participants.

    Participants that can't be resolved are empty; a voicemail then still has `from` and `to`.
    """
    sides = parts.context.get("participants")
    sides = sides if isinstance(sides, dict) else {}
    workspace, external = fields.numbers(sides, "workspace"), fields.numbers(sides, "external")
    if participants := fields.numbers(parts.resource, "participants"):
        workspace, external = workspace or participants, external or participants
    caller, called = fields.numbers(parts.resource, "from"), fields.numbers(parts.resource, "to")
    if direction != Direction.INCOMING:
        caller, called = called, caller
    return workspace or called, external or caller


def _recordings(parts: EventParts) -> tuple[dict[str, str], ...]:
    return fields.attachments(parts.resource, "recordings") or fields.attachments(parts.resource, "media")


def _forwarded_to(parts: EventParts) -> str:
    """Return a phone number or the provider's user id."""
    return fields.text(parts.resource, "forwardedTo")[:MAX_FORWARDED_TO]

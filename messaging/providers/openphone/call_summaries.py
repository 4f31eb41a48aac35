"""OpenPhone's call summaries and transcripts."""

from typing import Any

from messaging.providers import fields
from messaging.providers.errors import FieldError, NotHandled
from messaging.providers.events import SummaryEvent, TranscriptEvent
from messaging.providers.openphone.envelope import EventParts


def read_summary(parts: EventParts) -> SummaryEvent:
    """Return the summary of a call. Raises NotHandled if there is none yet."""
    _require_completed(parts)
    summary, next_steps = fields.texts(parts.resource, "summary"), fields.texts(parts.resource, "nextSteps")
    summary += _results(parts.resource.get("jobs"))  # an AI agent took the call: what it asked is nowhere else
    if not summary and not next_steps:
        raise NotHandled(f"{parts.type}: it has no content.")
    return SummaryEvent(
        openphone_id=fields.identifier(parts.resource, "callId"), summary="\n".join(summary), next_steps=next_steps
    )


def read_transcript(parts: EventParts) -> TranscriptEvent:
    """Return the transcript of a call. Raises NotHandled if there is none yet."""
    _require_completed(parts)
    dialogue = parts.resource.get("dialogue") or []
    if not isinstance(dialogue, list) or not all(isinstance(line, dict) for line in dialogue):
        raise FieldError("dialogue", "must be a list of objects")
    if not dialogue:
        raise NotHandled(f"{parts.type}: it has no content.")
    return TranscriptEvent(
        openphone_id=fields.identifier(parts.resource, "callId"), lines=tuple(_line(line) for line in dialogue)
    )


def _require_completed(parts: EventParts) -> None:
    """Raise NotHandled unless processing is complete. The same event is sent again when it is."""
    status = fields.text(parts.resource, "processingStatus") or fields.text(parts.resource, "status")
    if status not in ("completed", ""):
        raise NotHandled(f"{parts.type}: its status is {status}, so it has no content yet.")


def _results(jobs: Any) -> tuple[str, ...]:
    """Return each answer that an AI agent's jobs have collected: `Message taking: First name: Casey`."""
    lines = []
    for job in _objects(jobs):
        result = job.get("result")
        for entry in _objects(result.get("data") if isinstance(result, dict) else None):
            value = entry.get("value")
            if value not in (None, ""):
                text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
                lines.append(": ".join(str(part) for part in (job.get("name"), entry.get("name"), text) if part))
    return tuple(lines)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _line(line: dict[str, Any]) -> dict[str, object]:
    """Return a line with its speaker (a phone number or the provider's user id; "" if unknown), times and text."""
    return {
        "speaker": fields.text(line, "identifier") or fields.text(line, "userId"),
        "start": fields.offset_s(line, "start"),
        "end": fields.offset_s(line, "end"),
        "text": fields.text(line, "content"),
    }

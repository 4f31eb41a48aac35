"""What machines wrote of a call, as OpenPhone tells of it: a summary or a transcript."""

from typing import Any

from messaging.providers import fields
from messaging.providers.events import FieldError, NotHandled, SummaryEvent, TranscriptEvent
from messaging.providers.openphone.envelopes import OpenedEnvelope


def read_summary(opened: OpenedEnvelope) -> SummaryEvent:
    """A call was summed up. Raises NotHandled if it was not, or not yet."""
    _demand_completed(opened)
    summary, next_steps = fields.texts(opened.resource, "summary"), fields.texts(opened.resource, "nextSteps")
    if not summary and not next_steps:
        raise NotHandled(f"{opened.type}: there is nothing in it.")
    return SummaryEvent(
        openphone_id=fields.identifier(opened.resource, "callId"), summary="\n".join(summary), next_steps=next_steps
    )


def read_transcript(opened: OpenedEnvelope) -> TranscriptEvent:
    """A call was written down. Raises NotHandled if it was not, or not yet."""
    _demand_completed(opened)
    dialogue = opened.resource.get("dialogue") or []
    if not isinstance(dialogue, list) or not all(isinstance(line, dict) for line in dialogue):
        raise FieldError("dialogue", "must be a list of what was said")
    if not dialogue:
        raise NotHandled(f"{opened.type}: there is nothing in it.")
    return TranscriptEvent(
        openphone_id=fields.identifier(opened.resource, "callId"), lines=tuple(_line(line) for line in dialogue)
    )


def _demand_completed(opened: OpenedEnvelope) -> None:
    """Absent, in progress or failed: told of by the same event, and again when there is something to tell."""
    status = fields.text(opened.resource, "processingStatus") or fields.text(opened.resource, "status")
    if status not in ("completed", ""):
        raise NotHandled(f"{opened.type}: {status}, so that there is nothing in it.")


def _line(line: dict[str, Any]) -> dict[str, object]:
    """Who said what, and when. The speaker is a number, or the provider's id of one of us; "" if unknown."""
    return {
        "speaker": fields.text(line, "identifier") or fields.text(line, "userId"),
        "start": fields.moment_s(line, "start"),
        "end": fields.moment_s(line, "end"),
        "text": fields.text(line, "content"),
    }

"""What machines wrote of a call, as OpenPhone tells of it: a summary or a transcript."""

from typing import Any

from messaging.providers import fields
from messaging.providers.events import FieldError, NotHandled, SummaryEvent, TranscriptEvent
from messaging.providers.openphone.envelopes import Told


def read_summary(told: Told) -> SummaryEvent:
    """A call was summed up. Raises NotHandled if it was not, or not yet."""
    _demand_completed(told)
    summary, next_steps = fields.texts(told.resource, "summary"), fields.texts(told.resource, "nextSteps")
    if not summary and not next_steps:
        raise NotHandled(f"{told.type}: there is nothing in it.")
    return SummaryEvent(
        openphone_id=fields.identifier(told.resource, "callId"), summary="\n".join(summary), next_steps=next_steps
    )


def read_transcript(told: Told) -> TranscriptEvent:
    """A call was written down. Raises NotHandled if it was not, or not yet."""
    _demand_completed(told)
    dialogue = told.resource.get("dialogue") or []
    if not isinstance(dialogue, list) or not all(isinstance(line, dict) for line in dialogue):
        raise FieldError("dialogue", "must be a list of what was said")
    if not dialogue:
        raise NotHandled(f"{told.type}: there is nothing in it.")
    return TranscriptEvent(
        openphone_id=fields.identifier(told.resource, "callId"), lines=tuple(_line(line) for line in dialogue)
    )


def _demand_completed(told: Told) -> None:
    """Absent, in progress or failed: told of by the same event, and again when there is something to tell."""
    status = fields.text(told.resource, "processingStatus") or fields.text(told.resource, "status")
    if status not in ("completed", ""):
        raise NotHandled(f"{told.type}: {status}, so that there is nothing in it.")


def _line(line: dict[str, Any]) -> dict[str, object]:
    """Who said what, and when. The speaker is a number, or the provider's id of one of us; "" if unknown."""
    return {
        "speaker": fields.text(line, "identifier") or fields.text(line, "userId"),
        "start": fields.moment_s(line, "start"),
        "end": fields.moment_s(line, "end"),
        "text": fields.text(line, "content"),
    }

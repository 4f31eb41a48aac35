"""What is told of a call beside that it happened: its recording, and what machines made of it."""

import json

from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Tables, Value
from ops.demo.calendar import stamp

WRITTEN_DOWN_EVERY = 2  # answered calls
SECONDS_A_LINE = 4.5


def add_detail(
    tables: Tables,
    writer: ActivityWriter,
    *,
    call: int,
    openphone_id: str,
    at: int,
    answered: bool,
    voicemail: bool,
    speakers: tuple[str, str],
) -> None:
    """The details of a call that is over, if there are any. `speakers` are our number and the other."""
    if answered:
        detail = _recorded(openphone_id)
        if call % WRITTEN_DOWN_EVERY == 0:
            detail |= _written_down(writer, speakers)
    elif voicemail:
        detail = {"voicemail_transcript": writer.phrase(phrases.VOICEMAILS)}
    else:
        return
    tables.call_details.add(
        company=writer.setup.company, call=call, openphone_id=openphone_id, created_at=stamp(at), **detail
    )


def _recorded(openphone_id: str) -> dict[str, Value]:
    return {
        "recordings": json.dumps([{"url": f"https://recordings.example.com/{openphone_id}.mp3", "type": "audio/mpeg"}])
    }


def _written_down(writer: ActivityWriter, speakers: tuple[str, str]) -> dict[str, Value]:
    lines = [
        {
            "speaker": speakers[number % 2],
            "start": number * SECONDS_A_LINE,
            "end": (number + 1) * SECONDS_A_LINE,
            "text": writer.phrase((said,)),
        }
        for number, said in enumerate(phrases.WHAT_WAS_SAID)
    ]
    return {
        "summary": writer.phrase(phrases.SUMMARIES),
        "next_steps": json.dumps([writer.phrase(phrases.NEXT_STEPS)]),
        "transcript": json.dumps(lines),
    }

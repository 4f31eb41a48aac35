"""Details of ended calls: recordings, transcripts, summaries."""

import json

from ops.demo import phrases
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Value
from ops.demo.calendar import stamp

TRANSCRIBED_EVERY = 2  # answered calls
SECONDS_PER_LINE = 4.5


def add_detail(
    writer: ActivityWriter,
    *,
    call: int,
    openphone_id: str,
    at: int,
    answered: bool,
    voicemail: bool,
    speakers: tuple[str, str],
) -> None:
    """Add the details of a call, if it has any. `speakers` are the company's number and the contact's."""
    detail: dict[str, Value] = {}
    if answered:
        recording = {"url": f"https://recordings.example.com/{openphone_id}.mp3", "type": "audio/mpeg"}
        detail["recordings"] = json.dumps([recording])
        if call % TRANSCRIBED_EVERY == 0:
            lines = [
                {
                    "speaker": speakers[number % 2],
                    "start": number * SECONDS_PER_LINE,
                    "end": (number + 1) * SECONDS_PER_LINE,
                    "text": writer.phrase((line,)),
                }
                for number, line in enumerate(phrases.TRANSCRIPT)
            ]
            detail |= {
                "summary": writer.phrase(phrases.SUMMARIES),
                "next_steps": json.dumps([writer.phrase(phrases.NEXT_STEPS)]),
                "transcript": json.dumps(lines),
            }
    elif voicemail:
        detail["voicemail_transcript"] = writer.phrase(phrases.VOICEMAILS)
    if detail:
        writer.tables["call_details"].add(
            company=writer.setup.company, call=call, openphone_id=openphone_id, created_at=stamp(at), **detail
        )

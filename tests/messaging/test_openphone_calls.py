"""OpenPhone's call progress, recordings, voicemails, summaries and transcripts."""

import json
from datetime import UTC, datetime

import pytest

from messaging.providers.errors import FieldError, NotHandled
from messaging.providers.events import CallEvent
from messaging.providers.openphone.webhook import read_envelope, read_event
from tests.messaging.payloads import (
    CALLER,
    EVERY_CALL,
    OUR_NUMBER,
    call_2026,
    call_event_2026,
    call_v2,
    call_v4,
    summary_2026,
    summary_v4,
    transcript_2026,
    transcript_v4,
    voicemail_2026,
)

AT, ANSWERED = datetime(2026, 3, 2, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, 0, 5, tzinfo=UTC)
RECEIVED = datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
COMPLETED = datetime(2026, 3, 2, 16, 1, 5, tzinfo=UTC)
RECORDING = {"url": "https://files.example.com/r.mp3", "type": "audio/mpeg"}
TIMES = {"createdAt": "2026-03-02T16:00:00.000Z", "updatedAt": None}
SUMMARIES, TRANSCRIPTS = [summary_v4, summary_2026], [transcript_v4, transcript_2026]


def read(payload):
    return read_event(read_envelope(json.dumps(payload).encode(), {}), received_at=RECEIVED)


@pytest.mark.parametrize("build", EVERY_CALL)
def test_ringing_call_ignores_other_times(build):
    event = read(build("call.ringing", id="ACcall", status="ringing"))
    assert (event.openphone_id, event.line_id, event.direction) == ("ACcall", "PNdesk", "incoming")
    assert (event.answered, event.ended, event.created_at) == (False, False, AT)
    assert (event.answered_at, event.completed_at, event.duration_s) == (None, None, None)
    assert event.outside_numbers == (CALLER,)


def test_ringing_call_may_lack_participants_and_context():
    for context in ({"phoneNumberId": "PNdesk"}, {}):
        event = read(call_2026("call.ringing", context=context))
        assert (event.company_numbers, event.outside_numbers) == ((), ())


def test_unavailable_participants_are_unknown():
    context = {"participants": {"workspace": [], "external": [], "resolution": "unavailable"}}
    assert read(call_2026(context=context)).outside_numbers == ()


def test_anonymous_caller_is_kept_as_sent():
    context = {"participants": {"workspace": [OUR_NUMBER], "external": ["Anonymous"]}}
    assert read(call_2026(context=context)).outside_numbers == ("Anonymous",)


def test_answered_call_has_not_ended():
    resource = {"id": "ACcall", "direction": "outgoing", "answeredAt": "2026-03-02T16:00:05Z"} | TIMES
    event = read(call_event_2026("call.answered", **resource))
    assert (event.answered, event.ended, event.answered_at, event.completed_at) == (True, False, ANSWERED, None)
    assert event.direction == "outgoing"
    assert read(call_event_2026("call.answered", **resource | {"answeredAt": None})).answered


def test_missed_call_is_incoming_and_has_ended():
    event = read(call_event_2026("call.missed", id="ACcall", **TIMES))
    assert (event.direction, event.answered, event.ended) == ("incoming", False, True)
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


@pytest.mark.parametrize("build", EVERY_CALL)
def test_completed_call_has_ended(build):
    assert read(build()).ended


@pytest.mark.parametrize("to", [CALLER, "UScarla"])
def test_forwarded_call_names_its_target_and_has_not_ended(to):
    event = read(call_event_2026("call.forwarded", id="ACcall", forwardedFrom=OUR_NUMBER, forwardedTo=to, **TIMES))
    assert (event.forwarded_to, event.direction, event.answered, event.ended) == (to, "incoming", False, False)


@pytest.mark.parametrize(
    ("key", "name", "choice"), [("1", "Book", "1 Book"), ("1", None, "1"), (None, "Book", "Book"), (None, None, "")]
)
def test_menu_choice_is_the_key_and_its_name(key, name, choice):
    resource = {"phoneMenuSelection": key, "phoneMenuSelectionName": name, "statusReason": "phone-menu-dial"}
    event = read(call_event_2026("call.menu.selected", id="ACcall", **resource, **TIMES))
    assert (event.menu_choice, event.direction, event.ended) == (choice, "incoming", False)


@pytest.mark.parametrize(
    "payload",
    [
        call_v2("call.recording.completed", media=[RECORDING | {"duration": 60}]),
        call_v4("call.recording.completed", media=[RECORDING]),
        call_2026("call.recording.completed", status=None, recordings=[RECORDING | {"id": "RE1"}]),
    ],
    ids=["v2", "v4", "2026"],
)
def test_recording_comes_with_its_call(payload):
    event = read(payload)
    assert event.recordings == (RECORDING,)
    assert (event.answered, event.ended, event.duration_s) == (True, True, 60)


def test_recording_keeps_all_parts():
    parts = [RECORDING, {"url": "https://files.example.com/r2.mp3", "type": "audio/mpeg"}, {"url": None}]
    assert read(call_2026("call.recording.completed", recordings=parts)).recordings == (parts[0], parts[1])


def test_recording_without_times_is_not_a_missed_call():
    event = read(call_2026("call.recording.completed", answeredAt=None, duration=None, recordings=[RECORDING]))
    assert (event.ended, event.answered, event.recordings) == (False, False, (RECORDING,))


def test_voicemail_belongs_to_its_call():
    event = read(voicemail_2026(callId="ACcall"))
    assert (event.openphone_id, event.line_id, event.direction) == ("ACcall", "PNdesk", "incoming")
    assert (event.url, event.duration_s) == ("https://files.example.com/voicemail.mp3", 18)
    assert event.transcript == "Please call me back about the gutters."
    assert (event.company_numbers, event.outside_numbers, event.created_at) == ((OUR_NUMBER,), (CALLER,), AT)
    assert not isinstance(event, CallEvent)


def test_voicemail_may_lack_transcript_recording_and_call():
    event = read(voicemail_2026(id="ACvoicemail", callId=None, transcript=None, recordingUrl=None))
    assert (event.openphone_id, event.transcript, event.url) == ("ACvoicemail", "", "")


@pytest.mark.parametrize("build", SUMMARIES)
def test_summary_is_read(build):
    event = read(build())
    assert event.openphone_id == "ACcall"
    assert event.summary == "The roof leaks.\nThey want a quote."
    assert event.next_steps == ("Send a quote.",)


@pytest.mark.parametrize("build", TRANSCRIPTS)
def test_transcript_has_speakers_times_and_texts(build):
    event = read(build())
    assert event.openphone_id == "ACcall"
    assert event.lines == (
        {"speaker": "UStest", "start": 0.0, "end": 2.5, "text": "Acme Roofing, hello?"},
        {"speaker": CALLER, "start": 2.75, "end": 4.0, "text": "My roof leaks."},
    )


def test_transcript_line_may_lack_speaker_and_times():
    [line] = read(transcript_v4(dialogue=[{"content": "Hm.", "identifier": None, "userId": None}])).lines
    assert line == {"speaker": "", "start": None, "end": None, "text": "Hm."}


@pytest.mark.parametrize("spelled", [("callSummary", "callTranscript"), ("call.summary.completed",) * 2])
def test_type_aliases_are_equivalent(spelled):
    assert read(summary_v4(spelled[0])) == read(summary_2026())
    assert read(transcript_v4(spelled[1].replace("summary", "transcript"))) == read(transcript_2026())


@pytest.mark.parametrize("status", ["absent", "in-progress", "failed", "something-new"])
@pytest.mark.parametrize("build", [*SUMMARIES, *TRANSCRIPTS])
def test_unfinished_processing_is_not_handled(build, status):
    field = "processingStatus" if "2026" in build.__name__ else "status"
    with pytest.raises(NotHandled, match=f"completed: its status is {status}, so it has no content"):
        read(build(**{field: status}))


@pytest.mark.parametrize("nothing", [None, []])
def test_empty_content_is_not_handled(nothing):
    for build in SUMMARIES:
        assert read(build(nextSteps=nothing)).next_steps == ()
        with pytest.raises(NotHandled, match="no content"):
            read(build(summary=nothing, nextSteps=nothing))
    for build in TRANSCRIPTS:
        with pytest.raises(NotHandled, match="no content"):
            read(build(dialogue=nothing))


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (call_2026("call.ringing", direction=None), "direction"),
        (call_2026("call.answered", direction="inbound"), "direction"),
        (call_2026("call.answered", answeredAt="soon"), "answeredAt"),
        (call_event_2026("call.missed", createdAt=AT.isoformat()) | {"id": None}, "id"),
        (call_event_2026("call.forwarded", id="ACcall", forwardedTo=7, **TIMES), "forwardedTo"),
        (
            call_event_2026("call.menu.selected", id="ACcall", phoneMenuSelectionName=7, **TIMES),
            "phoneMenuSelectionName",
        ),
        (call_event_2026("call.missed", context={"participants": {"external": 7}}, id="ACcall", **TIMES), "external"),
        (voicemail_2026(id=None, callId=None) | {"id": None}, "id"),
        (voicemail_2026(callId=7), "callId"),
        (voicemail_2026(transcript=["Hi"]), "transcript"),
        (summary_v4(callId=None), "callId"),
        (summary_2026(callId=None), "callId"),
        (summary_2026(summary={}), "summary"),
        (summary_2026(nextSteps=[7]), "nextSteps"),
        (summary_2026(processingStatus=7), "processingStatus"),
        (summary_v4(status=7), "status"),
        (transcript_v4(callId=None), "callId"),
        (transcript_2026(dialogue="Hi"), "dialogue"),
        (transcript_2026(dialogue=["Hi"]), "dialogue"),
        (transcript_2026(dialogue=[{"content": 7}]), "content"),
    ],
)
def test_invalid_field_is_named(payload, field):
    with pytest.raises(FieldError, match=f"^{field}: "):
        read(payload)


# --- Parts that are missing ---


def test_call_without_an_id_has_that_of_its_event():
    call = call_v2() | {"id": "EV1"}
    del call["data"]["object"]["id"]
    assert read(call).openphone_id == "EV1"


@pytest.mark.parametrize("build", [call_v2, voicemail_2026])
def test_unresolved_participants_are_taken_from_the_call(build):
    call = build(participants=[])
    call["data"]["context"] = {"participants": {"workspace": [], "external": [], "resolution": "unavailable"}}
    event = read(call)
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


def test_call_without_any_participants_keeps_its_line():
    event = read(call_v4(participants=[]))
    assert (event.company_numbers, event.outside_numbers, event.line_id) == ((), (), "PNdesk")


JOBS = [
    {
        "icon": "📞",
        "name": "Message taking",
        "result": {
            "data": [
                {"name": "First name", "value": "Casey"},
                {"name": "Existing customer", "value": True},
                {"name": "Address", "value": ""},
            ]
        },
    }
]
RESULTS = "Message taking: First name: Casey\nMessage taking: Existing customer: yes"


@pytest.mark.parametrize("build", SUMMARIES)
def test_summary_has_the_results_of_jobs(build):
    assert read(build(summary=["The roof leaks."], jobs=JOBS)).summary == f"The roof leaks.\n{RESULTS}"
    assert read(build(summary=None, nextSteps=None, jobs=JOBS)).summary == RESULTS


@pytest.mark.parametrize("jobs", [None, "x", [None], [{"result": None}], [{"result": {"data": [7]}}]])
def test_unreadable_jobs_leave_the_summary(jobs):
    assert read(summary_2026(summary=["The roof leaks."], jobs=jobs)).summary == "The roof leaks."

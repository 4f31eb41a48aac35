"""OpenPhone's messages and calls in every generation of webhook events."""

import json
from datetime import UTC, datetime

import pytest

from messaging.providers.errors import FieldError, NotHandled
from messaging.providers.openphone.envelope import is_current
from messaging.providers.openphone.webhook import read_envelope, read_event
from tests.messaging.payloads import (
    CALLER,
    EVERY_CALL,
    EVERY_MESSAGE,
    OUR_NUMBER,
    call_2026,
    call_v2,
    call_v4,
    current,
    legacy,
    message_2026,
    message_v3,
    message_v4,
)

RECEIVED = datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
PHOTO = {"url": "https://files.example.com/roof.jpg", "type": "image/jpeg"}


def read(payload):
    return read_event(read_envelope(json.dumps(payload).encode(), {}), received_at=RECEIVED)


@pytest.mark.parametrize("build", EVERY_MESSAGE)
def test_received_message_is_read(build):
    event = read(build(id="ACtext"))
    assert (event.openphone_id, event.line_id) == ("ACtext", "PNdesk")
    assert (event.direction, event.status) == ("incoming", "received")
    assert (event.from_number, event.to_numbers) == (CALLER, (OUR_NUMBER,))
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))
    assert event.body == "Can you come on Tuesday?"
    assert event.created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("event_type", "status", "sent", "error_code"),
    [
        ("message.failed", "failed", None, ""),
        ("message.failed", "failed", "", ""),
        ("message.undelivered", "undelivered", "30006", "30006"),
        ("message.undelivered", "undelivered", 30007, "30007"),
        ("message.undelivered", "undelivered", "x" * 30, "x" * 20),
        ("message.delivered", "delivered", None, ""),
    ],
)
def test_undelivered_message_has_its_error_code(event_type, status, sent, error_code):
    event = read(message_2026(event_type, errorCode=sent))
    assert (event.direction, event.status, event.error_code) == ("outgoing", status, error_code)


def test_delivered_message_is_read():
    sent = [
        message_v3("message.delivered", sender=OUR_NUMBER, to=CALLER),
        message_v4("message.delivered", sender=OUR_NUMBER, to=[CALLER]),
        message_2026("message.delivered"),
    ]
    for event in map(read, sent):
        assert (event.direction, event.status) == ("outgoing", "delivered")
        assert (event.from_number, event.to_numbers) == (OUR_NUMBER, (CALLER,))
        assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


@pytest.mark.parametrize("to", [f"{OUR_NUMBER},{CALLER}", f"{OUR_NUMBER}, {CALLER},", [OUR_NUMBER, CALLER]])
def test_group_message_has_all_recipients(to):
    assert read(message_v3(to=to)).to_numbers == (OUR_NUMBER, CALLER)


@pytest.mark.parametrize("sender", ["Anonymous", "22395", "Restricted"])
def test_unusual_sender_is_kept_as_sent(sender):
    assert read(message_v3(sender=sender)).from_number == sender


def test_numbers_are_normalized_and_shortened():
    assert read(message_v3(sender="(212) 555-0100")).from_number == "+12125550100"
    assert read(message_v3(sender="x" * 100)).from_number == "x" * 32


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ([PHOTO], (PHOTO,)),
        ([PHOTO["url"]], ({"url": PHOTO["url"], "type": ""},)),
        ([{"url": PHOTO["url"], "type": None}], ({"url": PHOTO["url"], "type": ""},)),
        ([{"url": "javascript:alert(1)"}, {"url": None}, {}, None, 7], ()),
        (None, ()),
        ([], ()),
    ],
)
def test_attachments_of_every_form_are_read(media, expected):
    assert read(message_v3(media=media)).media == expected


def test_current_message_may_lack_parts_of_its_context():
    event = read(message_2026(context={"phoneNumberId": None, "senderIdentifier": None}))
    assert (event.line_id, event.from_number, event.to_numbers) == ("", "", ())
    assert read(current("message.received", {"id": "AC1", "createdAt": None}, {})).body == ""


def test_current_event_may_lack_data():
    payload = message_2026(id="ACflat")
    flat = {key: value for key, value in payload.items() if key != "data"} | payload["data"]
    assert is_current(flat)
    assert read(flat) == read(payload)


def test_unstorable_characters_become_replacement_characters():
    assert read(message_v4(text="a\x00b\ud800c")).body == "a\ufffdb\ufffdc"


def test_times_are_converted_to_utc():
    assert read(message_v4(createdAt="2026-03-02T16:00:00")).created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert read(message_v4(createdAt="2026-03-02T09:00:00-07:00")).created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)


def test_event_without_any_time_happened_when_it_arrived():
    assert read(legacy("message.received", {"id": "AC1"}, createdAt=None)).created_at == RECEIVED


def test_missing_time_is_the_time_of_the_event():
    assert read(message_v4(createdAt=None)).created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize("build", EVERY_CALL)
def test_answered_call_is_read(build):
    event = read(build(id="ACcall"))
    assert (event.openphone_id, event.line_id, event.direction) == ("ACcall", "PNdesk", "incoming")
    assert (event.answered, event.duration_s) == (True, 60)
    assert event.created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert event.answered_at == datetime(2026, 3, 2, 16, 0, 5, tzinfo=UTC)
    assert event.completed_at == datetime(2026, 3, 2, 16, 1, 5, tzinfo=UTC)
    assert event.outside_numbers == (CALLER,)


@pytest.mark.parametrize("build", EVERY_CALL)
def test_unanswered_call_is_read(build):
    event = read(build(status="completed", answeredAt=None, duration=12))
    assert (event.answered, event.answered_at, event.duration_s) == (False, None, None)


@pytest.mark.parametrize("status", ["answered", "ai-handled", "forwarded"])
def test_answered_status_without_a_time_counts(status):
    assert read(call_2026(status=status, answeredAt=None)).answered


@pytest.mark.parametrize("status", ["unanswered", "failed", "abandoned", "unknown", "missed", None])
def test_other_status_does_not_count_as_answered(status):
    assert not read(call_2026(status=status, answeredAt=None)).answered


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (None, 60),
        (55.4, 55),
        (0, 0),
        ("55", 55),
        ("soon", 60),
        ("9" * 99, 60),
        (True, 60),
        (-1, 60),
        (10**12, 60),
        ([], 60),
    ],
)
def test_invalid_duration_is_computed_from_the_times(duration, expected):
    assert read(call_2026(duration=duration)).duration_s == expected


def test_call_ending_before_its_answer_has_no_duration():
    assert read(call_2026(duration=None, completedAt="2026-03-02T15:59:00Z")).duration_s == 0


def test_numbers_follow_the_direction_unless_only_participants_are_named():
    assert read(call_v2()).company_numbers == (OUR_NUMBER,)
    assert read(call_v2(direction="outgoing")).company_numbers == (CALLER,)
    assert read(call_2026(direction="outgoing")).company_numbers == (OUR_NUMBER,)
    event = read(call_v4(participants=[OUR_NUMBER, CALLER]))
    assert event.company_numbers == event.outside_numbers == (OUR_NUMBER, CALLER)


def test_recording_and_voicemail_are_urls():
    voicemail = {"url": "https://files.example.com/v.mp3", "type": "audio/mpeg", "duration": 7}
    event = read(call_v2(voicemail=voicemail, media=[{"url": "https://files.example.com/r.mp3"}]))
    assert event.voicemail_url == "https://files.example.com/v.mp3"
    assert event.recordings == ({"url": "https://files.example.com/r.mp3", "type": ""},)
    assert read(call_v2(voicemail={"url": "https://files.example.com/" + "v" * 500})).voicemail_url == ""


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (message_v3(id=None), "id"),
        (message_v4(id=""), "id"),
        (message_v4("message.delivered", id=None), "id"),
        (message_2026(id=7), "id"),
        (call_v2(id=None) | {"id": None}, "id"),
        (message_v3(id="x" * 101), "id"),
        (message_v3(phoneNumberId="x" * 101), "phoneNumberId"),
        (message_v3(body=["Hi"]), "body"),
        (message_v4(text={}), "text"),
        (message_2026("message.failed", errorCode=["30006"]), "errorCode"),
        (message_v3(sender=7), "from"),
        (message_v3(to={"number": CALLER}), "to"),
        (message_v4(to=[None]), "to"),
        (message_v4(createdAt="yesterday"), "createdAt"),
        (message_v4(createdAt=1772467200), "createdAt"),
        (message_v4(createdAt="0001-01-01T00:00:00+10:00"), "createdAt"),
        (call_v2(direction=None), "direction"),
        (call_2026(direction="inbound"), "direction"),
        (call_2026(answeredAt="soon"), "answeredAt"),
        (call_v4(participants=7), "participants"),
        ({"type": "message.received"}, "data"),
        ({"type": "message.received", "data": []}, "data"),
        ({"type": "message.received", "data": {"object": "message"}}, "data"),
    ],
)
def test_invalid_field_is_named(payload, field):
    with pytest.raises(FieldError, match=f"^{field}: "):
        read(payload)


def test_unsupported_event_type_is_named():
    for event_type in ("task.assigned", "integration.created", "something.new"):
        with pytest.raises(NotHandled, match=f"^{event_type} events aren't supported yet"):
            read(legacy(event_type, {"id": "TK1"}))

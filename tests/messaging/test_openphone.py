"""Every generation of OpenPhone's deliveries says the same in our words."""

import json
from datetime import UTC, datetime

import pytest

from messaging.providers.errors import FieldError, NotHandled
from messaging.providers.openphone.envelope import is_current
from messaging.providers.openphone.webhook import read_envelope, read_event
from tests.messaging.payloads import (
    CALLER,
    EVERY_CALL,
    EVERY_TEXT,
    OUR_NUMBER,
    call_2026,
    call_v2,
    call_v4,
    current,
    legacy,
    text_2026,
    text_v3,
    text_v4,
)

PHOTO = {"url": "https://files.example.com/roof.jpg", "type": "image/jpeg"}


def read(payload):
    return read_event(read_envelope(json.dumps(payload).encode(), {}))


@pytest.mark.parametrize("build", EVERY_TEXT)
def test_a_received_text(build):
    event = read(build(id="ACtext"))
    assert (event.openphone_id, event.line_id) == ("ACtext", "PNdesk")
    assert (event.direction, event.status) == ("incoming", "received")
    assert (event.from_number, event.to_numbers) == (CALLER, (OUR_NUMBER,))
    assert (event.our_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))
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
def test_a_text_that_did_not_arrive_says_why(event_type, status, sent, error_code):
    event = read(text_2026(event_type, errorCode=sent))
    assert (event.direction, event.status, event.error_code) == ("outgoing", status, error_code)


def test_a_delivered_text():
    sent = [
        text_v3("message.delivered", sender=OUR_NUMBER, to=CALLER),
        text_v4("message.delivered", sender=OUR_NUMBER, to=[CALLER]),
        text_2026("message.delivered"),
    ]
    for event in map(read, sent):
        assert (event.direction, event.status) == ("outgoing", "delivered")
        assert (event.from_number, event.to_numbers) == (OUR_NUMBER, (CALLER,))
        assert (event.our_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


@pytest.mark.parametrize("to", [f"{OUR_NUMBER},{CALLER}", f"{OUR_NUMBER}, {CALLER},", [OUR_NUMBER, CALLER]])
def test_a_group_text_names_every_recipient(to):
    assert read(text_v3(to=to)).to_numbers == (OUR_NUMBER, CALLER)


@pytest.mark.parametrize("sender", ["Anonymous", "22395", "Restricted"])
def test_what_is_no_number_is_kept_as_sent(sender):
    assert read(text_v3(sender=sender)).from_number == sender


def test_numbers_are_brought_into_one_form_and_cut_to_what_fits():
    assert read(text_v3(sender="(212) 555-0100")).from_number == "+12125550100"
    assert read(text_v3(sender="x" * 100)).from_number == "x" * 32


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
def test_attachments_of_every_form(media, expected):
    assert read(text_v3(media=media)).media == expected


def test_a_current_text_may_lack_parts_of_its_context():
    event = read(text_2026(context={"phoneNumberId": None, "senderIdentifier": None}))
    assert (event.line_id, event.from_number, event.to_numbers) == ("", "", ())
    assert read(current("message.received", {"id": "AC1", "createdAt": None}, {})).body == ""


def test_a_current_event_may_lack_the_layer_of_data():
    payload = text_2026(id="ACflat")
    flat = {key: value for key, value in payload.items() if key != "data"} | payload["data"]
    assert is_current(flat)
    assert read(flat) == read(payload)


def test_dirt_in_a_text_becomes_a_replacement_character():
    assert read(text_v4(text="a\x00b\ud800c")).body == "a\ufffdb\ufffdc"


def test_a_time_without_a_zone_is_utc_and_another_zone_is_converted():
    assert read(text_v4(createdAt="2026-03-02T16:00:00")).created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert read(text_v4(createdAt="2026-03-02T09:00:00-07:00")).created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)


def test_without_a_time_of_its_own_it_happened_when_its_event_did():
    assert read(text_v4(createdAt=None)).created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize("build", EVERY_CALL)
def test_an_answered_call(build):
    event = read(build(id="ACcall"))
    assert (event.openphone_id, event.line_id, event.direction) == ("ACcall", "PNdesk", "incoming")
    assert (event.answered, event.duration_s) == (True, 60)
    assert event.created_at == datetime(2026, 3, 2, 16, tzinfo=UTC)
    assert event.answered_at == datetime(2026, 3, 2, 16, 0, 5, tzinfo=UTC)
    assert event.completed_at == datetime(2026, 3, 2, 16, 1, 5, tzinfo=UTC)
    assert event.outside_numbers == (CALLER,)


@pytest.mark.parametrize("build", EVERY_CALL)
def test_a_call_that_nobody_answered(build):
    event = read(build(status="completed", answeredAt=None, duration=12))
    assert (event.answered, event.answered_at, event.duration_s) == (False, None, None)


@pytest.mark.parametrize("status", ["answered", "ai-handled", "forwarded"])
def test_some_words_mean_answered_without_a_time(status):
    assert read(call_2026(status=status, answeredAt=None)).answered


@pytest.mark.parametrize("status", ["unanswered", "failed", "abandoned", "unknown", "missed", None])
def test_other_words_do_not(status):
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
def test_a_duration_that_is_none_is_worked_out(duration, expected):
    assert read(call_2026(duration=duration)).duration_s == expected


def test_a_call_that_ended_before_it_was_answered_lasted_no_time():
    assert read(call_2026(duration=None, completedAt="2026-03-02T15:59:00Z")).duration_s == 0


def test_roles_follow_the_direction_and_are_unknown_where_only_participants_are_named():
    assert read(call_v2()).our_numbers == (OUR_NUMBER,)
    assert read(call_v2(direction="outgoing")).our_numbers == (CALLER,)
    assert read(call_2026(direction="outgoing")).our_numbers == (OUR_NUMBER,)
    event = read(call_v4(participants=[OUR_NUMBER, CALLER]))
    assert event.our_numbers == event.outside_numbers == (OUR_NUMBER, CALLER)


def test_recording_and_voicemail_are_links():
    voicemail = {"url": "https://files.example.com/v.mp3", "type": "audio/mpeg", "duration": 7}
    event = read(call_v2(voicemail=voicemail, media=[{"url": "https://files.example.com/r.mp3"}]))
    assert event.voicemail_url == "https://files.example.com/v.mp3"
    assert event.recordings == ({"url": "https://files.example.com/r.mp3", "type": ""},)
    assert read(call_v2(voicemail={"url": "https://files.example.com/" + "v" * 500})).voicemail_url == ""


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (text_v3(id=None), "id"),
        (text_v4(id=""), "id"),
        (text_2026(id=7), "id"),
        (call_v2(id=None), "id"),
        (text_v3(id="x" * 101), "id"),
        (text_v3(phoneNumberId="x" * 101), "phoneNumberId"),
        (text_v3(body=["Hi"]), "body"),
        (text_v4(text={}), "text"),
        (text_2026("message.failed", errorCode=["30006"]), "errorCode"),
        (text_v3(sender=7), "from"),
        (text_v3(to={"number": CALLER}), "to"),
        (text_v4(to=[None]), "to"),
        (text_v4(createdAt="yesterday"), "createdAt"),
        (text_v4(createdAt=1772467200), "createdAt"),
        (text_v4(createdAt="0001-01-01T00:00:00+10:00"), "createdAt"),
        (legacy("message.received", {"id": "AC1"}, createdAt=None), "createdAt"),
        (call_v2(direction=None), "direction"),
        (call_2026(direction="inbound"), "direction"),
        (call_2026(answeredAt="soon"), "answeredAt"),
        (call_v4(participants=7), "participants"),
        ({"type": "message.received"}, "data"),
        ({"type": "message.received", "data": []}, "data"),
        ({"type": "message.received", "data": {"object": "message"}}, "data"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(payload, field):
    with pytest.raises(FieldError, match=f"^{field}: "):
        read(payload)


def test_a_type_that_nothing_is_done_about_says_so():
    for event_type in ("task.assigned", "integration.created", "something.new"):
        with pytest.raises(NotHandled, match=f"^{event_type} events aren't supported yet"):
            read(legacy(event_type, {"id": "TK1"}))

"""CallRail's deliveries in our words, and its signature."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from messaging.providers.callrail.signature import check_secret, generate_secret, verify_signature
from messaging.providers.callrail.webhook import read_envelope, read_event
from messaging.providers.errors import BadSignature, FieldError, InvalidSecret, NotHandled
from tests.messaging.payloads import CALLER, OUR_NUMBER, callrail_call, callrail_text

AT, RECEIVED = datetime(2026, 3, 2, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
JSON, FORM = {"Content-Type": "application/json"}, {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
RECORDING = "https://files.example.com/r.mp3"


def envelope_of(payload):
    return read_envelope(json.dumps(payload).encode(), JSON)


def read(payload):
    return read_event(envelope_of(payload), received_at=RECEIVED)


def test_an_answered_call():
    event = read(callrail_call(resource_id="CAL1", recording=RECORDING))
    assert (event.openphone_id, event.direction, event.created_at) == ("CAL1", "incoming", AT)
    assert (event.our_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))
    assert (event.answered, event.over, event.duration_s) == (True, True, 60)
    assert event.completed_at == datetime(2026, 3, 2, 16, 1, tzinfo=UTC)
    assert event.recordings == ({"url": RECORDING, "type": ""},)
    assert event.outside_name == "Jane Doe"


@pytest.mark.parametrize("call_type", ["abandoned", "missed"])
@pytest.mark.parametrize("answered", [False, "false", "False", ""])
def test_a_call_that_nobody_answered(call_type, answered):
    event = read(callrail_call(call_type=call_type, answered=answered, duration="15"))
    assert (event.answered, event.over, event.duration_s, event.recordings) == (False, True, None, ())


def test_an_outgoing_call_is_told_by_its_direction_or_its_kind():
    for payload in (callrail_call(direction="outbound"), callrail_call(direction="", call_type="outbound")):
        event = read(payload)
        assert event.direction == "outgoing"
        assert (event.our_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


@pytest.mark.parametrize("left", [True, "true"])
def test_a_voicemail_is_no_answer_and_its_recording_no_talk(left):
    event = read(callrail_call(answered=True, voicemail=left, recording=RECORDING))
    assert (event.answered, event.voicemail_url, event.recordings) == (False, RECORDING, ())


def test_before_the_call_it_rings():
    payload = callrail_call()
    for name in ("answered", "duration", "recording", "voicemail", "direction", "call_type"):
        del payload[name]
    assert envelope_of(payload).type == "pre_call"
    event = read(payload)
    assert (event.over, event.answered, event.completed_at, event.direction) == (False, False, None, "incoming")


def test_the_older_names_say_the_same():
    payload = callrail_call(resource_id="CAL1")
    old = {
        "callernum": payload.pop("customer_phone_number"),
        "trackingnum": payload.pop("tracking_phone_number"),
        "datetime": "2026-03-02 16:00:00",
    }
    del payload["start_time"]
    assert read(payload | old) == read(callrail_call(resource_id="CAL1"))


def test_a_form_says_the_same_as_json():
    for payload in (callrail_call(answered="true", voicemail="false"), callrail_text()):
        envelope = read_envelope(urlencode(payload).encode(), FORM)
        assert envelope.type == envelope_of(payload).type
        assert read_event(envelope, received_at=RECEIVED) == read(payload)


def test_a_received_text():
    event = read(callrail_text(resource_id="SMS1"))
    assert (event.openphone_id, event.direction, event.status) == ("SMS1", "incoming", "received")
    assert (event.from_number, event.to_numbers, event.body) == (CALLER, (OUR_NUMBER,), "Can you come on Tuesday?")
    assert (event.our_numbers, event.outside_numbers, event.created_at) == ((OUR_NUMBER,), (CALLER,), AT)


@pytest.mark.parametrize("told", [{"agent": "carla@example.com"}, {"agent": "", "direction": "outbound"}])
def test_a_sent_text_names_the_agent_or_its_direction(told):
    event = read(callrail_text(source_number=OUR_NUMBER, destination_number=CALLER, **told))
    assert (event.direction, event.status) == ("outgoing", "sent")
    assert (event.our_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


def test_an_empty_agent_is_none():
    assert read(callrail_text(agent="")).direction == "incoming"


def test_without_a_time_it_happened_when_it_reached_us():
    assert read(callrail_text(timestamp="")).created_at == RECEIVED
    assert read(callrail_call(start_time="")).created_at == RECEIVED


def test_an_id_tells_content_apart_and_a_delivery_without_one_has_none():
    call = callrail_call(resource_id="CAL1")
    first, again, modified = (envelope_of(payload).id for payload in (call, call, call | {"duration": "61"}))
    assert first == again != modified
    assert first.startswith("CAL1:")
    assert modified.startswith("CAL1:")
    assert envelope_of(call | {"resource_id": ""}).id == ""
    assert envelope_of(call | {"resource_id": "x" * 190}).id == ""


def test_what_is_neither_a_call_nor_a_text_is_not_handled():
    envelope = envelope_of({"resource_id": "FRM1", "form_data": {}})
    assert envelope.type == "unknown"
    with pytest.raises(NotHandled):
        read_event(envelope, received_at=RECEIVED)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (callrail_call(resource_id=""), "resource_id"),
        (callrail_text(resource_id=None), "resource_id"),
        (callrail_call(answered="perhaps"), "answered"),
        (callrail_call(answered=1), "answered"),
        (callrail_call(voicemail=[]), "voicemail"),
        (callrail_call(direction="sideways"), "direction"),
        (callrail_call(start_time="soon"), "start_time"),
        (callrail_call(customer_phone_number=7), "customer_phone_number"),
        (callrail_call(tracking_phone_number={"number": 7}), "tracking_phone_number"),
        (callrail_call(customer_name=7), "customer_name"),
        (callrail_text(content=7), "content"),
        (callrail_text(source_number=7), "source_number"),
        (callrail_text(agent=7), "agent"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(payload, field):
    with pytest.raises(FieldError, match=f"^{field}: "):
        read(payload)


# --- The signature ----------------------------------------------------------------------------------------------------

# RFC 2202, test case 2, in base64: the provider publishes no vector.
VECTOR = {"body": b"what do ya want for nothing?", "secret": "Jefe", "signature": "7/zfauXrL6LSdBbV8YTfnCWafHk="}


def verify(*, body=VECTOR["body"], secrets=("Jefe",), **headers):
    verify_signature(
        headers={"Signature": VECTOR["signature"]} | headers, body=body, secrets=secrets, url="https://x", now=0
    )


def test_it_believes_the_vector_under_any_of_several_secrets():
    verify()
    verify(secrets=["another", "Jefe"])


def test_it_believes_nothing_else():
    wrong = [
        {"body": VECTOR["body"] + b" "},
        {"secrets": []},
        {"secrets": ["another"]},
        {"Signature": ""},
        {"Signature": "é"},
        {"Signature": VECTOR["signature"].lower()},
    ]
    for case in wrong:
        with pytest.raises(BadSignature):
            verify(**case)


@pytest.mark.parametrize("secret", ["", " ", "two words", "é", "a\nb"])
def test_a_secret_is_one_word(secret):
    with pytest.raises(InvalidSecret):
        check_secret(secret)


def test_a_secret_of_our_own_making_is_one():
    check_secret(generate_secret())

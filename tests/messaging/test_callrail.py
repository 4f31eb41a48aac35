"""CallRail's webhook events and signatures."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from calls.models import Call
from messaging.models import WebhookEvent
from messaging.providers.callrail.signature import check_secret, generate_secret, verify_signature
from messaging.providers.callrail.webhook import read_envelope, read_event
from messaging.providers.errors import BadSignature, FieldError, InvalidSecret, NotHandled
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import CALLER, OUR_NUMBER, callrail_call, callrail_message, post_event
from tests.messaging.worker_rounds import process_next_event

AT, RECEIVED = datetime(2026, 3, 2, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
JSON, FORM = {"Content-Type": "application/json"}, {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
RECORDING = "https://files.example.com/r.mp3"


def envelope_of(payload):
    return read_envelope(json.dumps(payload).encode(), JSON)


def read(payload):
    return read_event(envelope_of(payload), received_at=RECEIVED)


def test_answered_call_is_read():
    event = read(callrail_call(resource_id="CAL1", recording=RECORDING))
    assert (event.openphone_id, event.direction, event.created_at) == ("CAL1", "incoming", AT)
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))
    assert (event.answered, event.ended, event.duration_s) == (True, True, 60)
    assert event.completed_at == datetime(2026, 3, 2, 16, 1, tzinfo=UTC)
    assert event.recordings == ({"url": RECORDING, "type": ""},)
    assert event.outside_name == "Jane Doe"


@pytest.mark.parametrize("call_type", ["abandoned", "missed"])
@pytest.mark.parametrize("answered", [False, "false", "False", ""])
def test_unanswered_call_is_read(call_type, answered):
    event = read(callrail_call(call_type=call_type, answered=answered, duration="15"))
    assert (event.answered, event.ended, event.duration_s, event.recordings) == (False, True, None, ())


def test_outgoing_call_is_detected_by_direction_or_call_type():
    for payload in (callrail_call(direction="outbound"), callrail_call(direction="", call_type="outbound")):
        event = read(payload)
        assert event.direction == "outgoing"
        assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


@pytest.mark.parametrize("left", [True, "true"])
def test_voicemail_is_unanswered_and_has_no_recording(left):
    event = read(callrail_call(answered=True, voicemail=left, recording=RECORDING))
    assert (event.answered, event.voicemail_url, event.recordings) == (False, RECORDING, ())


OUTCOME = ("answered", "duration", "call_type", "voicemail", "recording")
RINGING = {"answered": False, "duration": 0, "call_type": "missed"}


@pytest.mark.parametrize(
    "fields", [RINGING, RINGING | {"answered": "false", "duration": "0"}, {"type": "inboundprecall"}]
)
def test_call_without_a_sign_of_its_end_is_ringing(fields):
    event = read(callrail_call(**fields))
    assert (event.ended, event.answered, event.completed_at, event.duration_s) == (False, False, None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"duration": "7"},
        {"duration": 7},
        {"call_type": "abandoned"},
        {"voicemail": "true"},
        {"recording": RECORDING},
        {"type": "inboundpostcall"},
        {"type": "call_modified"},
    ],
)
def test_unanswered_call_needs_a_sign_of_its_end(fields):
    event = read(callrail_call(**RINGING | fields))
    assert (event.ended, event.answered) == (True, False)


@pytest.mark.parametrize(
    "junk",
    [
        *({"duration": value} for value in (-5, "-5", "NaN", float("nan"), "00:00:00", True, [], {}, "9" * 400, 1e308)),
        *({"recording": value} for value in (False, True, 0, [], {}, "no", "javascript:alert(1)", [False])),
        *({"transcription": value} for value in (False, True, 0, [], {}, " ", [{}])),
        *({"conversational_transcript": value} for value in (False, [], {}, " ")),
        *({"voicemail": value} for value in ("", None, "false", 0)),
        *({"call_type": value} for value in ("", None, False, [])),
        {"type": "surprise"},
    ],
)
def test_junk_is_no_sign_of_a_calls_end(junk):
    assert envelope_of(callrail_call(**RINGING | junk)).type in ("pre_call", "call_in_an_unknown_state")


@pytest.mark.parametrize(
    "fields",
    [
        {"answered": False},
        {"answered": True},
        {"call_type": "missed"},
        {"answered": False, "call_type": "missed", "voicemail": False},
        {"answered": False, "duration": ""},
        {"answered": False, "duration": "00:00:00"},
    ],
)
def test_call_that_may_ring_or_have_ended_is_kept_with_a_reason(fields):
    payload = {name: value for name, value in callrail_call().items() if name not in OUTCOME}
    envelope = envelope_of(payload | fields)
    with pytest.raises(NotHandled, match="call_in_an_unknown_state"):
        read_event(envelope, received_at=RECEIVED)


@pytest.mark.parametrize(
    ("kind", "event_type"),
    [
        ("pre-call", "pre_call"),
        ("call-routing-complete", "routed_call"),
        ("post-call", "post_call"),
        ("call-modified", "post_call"),
        ("text-message-received", "text_message"),
        ("form-submission", "form_submission"),
        ("surprise", "pre_call"),
        ("", "pre_call"),
    ],
)
def test_kind_in_the_url_is_the_type(kind, event_type):
    body = json.dumps(callrail_call(**RINGING)).encode()
    envelope = read_envelope(body, JSON | {":path": f"/webhooks/callrail/acme/{kind}"})
    assert envelope.type == event_type


@pytest.mark.parametrize("stated", ["platform", "performance", "context", "missms"])
def test_stated_type_that_contains_another_ones_name_is_unknown(stated):
    assert envelope_of(callrail_call(type=stated)).type == "post_call"


@pytest.mark.parametrize(
    ("stated", "event_type"),
    [("inbound_text_message", "text_message"), ("sms_received", "text_message"), ("outboundpostcall", "post_call")],
)
def test_stated_type_may_begin_with_the_direction(stated, event_type):
    assert envelope_of(callrail_call(**RINGING, type=stated)).type == event_type


def test_slug_of_the_company_is_not_the_kind():
    body = json.dumps(callrail_call(**RINGING)).encode()
    assert read_envelope(body, JSON | {":path": "/webhooks/callrail/post-call"}).type == "pre_call"


def test_kind_in_the_url_outranks_the_stated_type_and_the_fields():
    body = json.dumps(callrail_call(**RINGING, type="inboundprecall")).encode()
    assert read_envelope(body, JSON | {":path": "/webhooks/callrail/acme/post-call"}).type == "post_call"


def test_same_body_of_another_kind_is_another_event():
    body = json.dumps(callrail_call(**RINGING)).encode()
    paths = ["/webhooks/callrail/acme", "/webhooks/callrail/acme/post-call"]
    assert len({read_envelope(body, JSON | {":path": path}).id for path in paths}) == 2


def test_outgoing_call_of_no_length_has_ended():
    event = read(callrail_call(**RINGING | {"call_type": "outbound", "direction": "outbound"}))
    assert (event.direction, event.answered, event.ended) == ("outgoing", False, True)


@pytest.mark.parametrize("id_name", ["resource_id", "id"])
def test_form_submission_without_its_own_fields_is_not_a_call(id_name):
    payload = {
        id_name: "a1b2c3",
        "customer_phone_number": CALLER,
        "customer_name": "Jane Doe",
        "tracking_phone_number": OUR_NUMBER,
        "landing_page_url": "https://acme.example",
        "source": "Google Ads",
    }
    assert envelope_of(payload).type == "unknown"


def test_routed_call_is_answered_and_goes_on():
    event = read(callrail_call(answered=True, duration="0", call_type=""))
    assert (event.ended, event.answered, event.duration_s) == (False, True, None)


def test_older_call_has_its_id_in_another_field():
    payload = callrail_call(id=766970532, voicemail=True, recording=RECORDING, transcription=" Call me. ")
    del payload["resource_id"]
    event = read(payload)
    assert (event.openphone_id, event.voicemail_url, event.voicemail_transcript) == ("766970532", RECORDING, "Call me.")
    assert envelope_of(payload).id.startswith("766970532:")


@pytest.mark.parametrize("time", ["2026-03-02 16:00:00 UTC", "2026-03-02 16:00:00 GMT", "2026-03-02 09:00:00 -0700"])
def test_time_may_be_written_as_ruby_does(time):
    assert read(callrail_call(start_time=time)).created_at == AT


@pytest.mark.parametrize(
    "fields", [{"resource_id": "FRM1"}, {"form_data": {"name": "Ann"}}, {"type": "form_submission"}]
)
def test_form_submission_is_not_a_call(fields):
    envelope = envelope_of(callrail_call() | fields)
    assert envelope.type == "form_submission"
    with pytest.raises(NotHandled, match="form_submission"):
        read_event(envelope, received_at=RECEIVED)


def test_call_without_result_is_ringing():
    payload = callrail_call()
    for name in ("answered", "duration", "recording", "voicemail", "direction", "call_type"):
        del payload[name]
    assert envelope_of(payload).type == "pre_call"
    event = read(payload)
    assert (event.ended, event.answered, event.completed_at, event.direction) == (False, False, None, "incoming")


def test_older_field_names_are_equivalent():
    payload = callrail_call(resource_id="CAL1")
    old = {
        "callernum": payload.pop("customer_phone_number"),
        "trackingnum": payload.pop("tracking_phone_number"),
        "datetime": "2026-03-02 16:00:00",
    }
    del payload["start_time"]
    assert read(payload | old) == read(callrail_call(resource_id="CAL1"))


def test_form_is_equivalent_to_json():
    for payload in (callrail_call(answered="true", voicemail="false"), callrail_message()):
        envelope = read_envelope(urlencode(payload).encode(), FORM)
        assert envelope.type == envelope_of(payload).type
        assert read_event(envelope, received_at=RECEIVED) == read(payload)


def test_received_message_is_read():
    event = read(callrail_message(resource_id="SMS1"))
    assert (event.openphone_id, event.direction, event.status) == ("SMS1", "incoming", "received")
    assert (event.from_number, event.to_numbers, event.body) == (CALLER, (OUR_NUMBER,), "Can you come on Tuesday?")
    assert (event.company_numbers, event.outside_numbers, event.created_at) == ((OUR_NUMBER,), (CALLER,), AT)


@pytest.mark.parametrize("fields", [{"agent": "carla@example.com"}, {"agent": "", "direction": "outbound"}])
def test_sent_message_is_detected_by_agent_or_direction(fields):
    event = read(callrail_message(source_number=OUR_NUMBER, destination_number=CALLER, **fields))
    assert (event.direction, event.status) == ("outgoing", "sent")
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


def test_empty_agent_means_incoming():
    assert read(callrail_message(agent="")).direction == "incoming"


def test_missing_time_is_the_time_of_arrival():
    assert read(callrail_message(timestamp="")).created_at == RECEIVED
    assert read(callrail_call(start_time="")).created_at == RECEIVED


def test_event_id_depends_on_the_content():
    call = callrail_call(resource_id="CAL1")
    first, again, modified = (envelope_of(payload).id for payload in (call, call, call | {"duration": "61"}))
    assert first == again != modified
    assert first.startswith("CAL1:")
    assert modified.startswith("CAL1:")
    assert envelope_of(call | {"resource_id": ""}).id == ""
    assert envelope_of(call | {"resource_id": "x" * 190}).id == ""


def test_unknown_event_is_not_handled():
    envelope = envelope_of({"resource_id": "CHT1", "customer_phone_number": CALLER, "source": "Google Ads"})
    assert envelope.type == "unknown"
    with pytest.raises(NotHandled):
        read_event(envelope, received_at=RECEIVED)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (callrail_call(resource_id=""), "resource_id"),
        (callrail_message(resource_id=None), "resource_id"),
        (callrail_call(answered="perhaps"), "answered"),
        (callrail_call(answered=1), "answered"),
        (callrail_call(voicemail=[]), "voicemail"),
        (callrail_call(direction="sideways"), "direction"),
        (callrail_call(start_time="soon"), "start_time"),
        (callrail_call(customer_phone_number=7), "customer_phone_number"),
        (callrail_call(tracking_phone_number={"number": 7}), "tracking_phone_number"),
        (callrail_call(customer_name=7), "customer_name"),
        (callrail_message(content=7), "content"),
        (callrail_message(source_number=7), "source_number"),
        (callrail_message(agent=7), "agent"),
    ],
)
def test_invalid_field_is_named(payload, field):
    with pytest.raises(FieldError, match=f"^{field}: "):
        read(payload)


@pytest.mark.django_db
def test_post_call_to_its_own_url_ends_the_call_at_once(client, acme, in_acme):
    WebhookSecretFactory(company=acme, provider="callrail")
    payload = callrail_call(**RINGING)
    post_event(client, payload, provider="callrail", query="/pre-call")
    assert process_next_event()
    assert Call.objects.get().status == "in_progress"
    post_event(client, payload, provider="callrail", query="/post-call")
    assert process_next_event()
    assert Call.objects.get().status == "missed"
    assert list(WebhookEvent.objects.order_by("id").values_list("event_type", flat=True)) == ["pre_call", "post_call"]


# --- Signatures -------------------------------------------------------------------------------------------------------

# RFC 2202, test case 2, in base64: CallRail publishes no vector.
VECTOR = {"body": b"what do ya want for nothing?", "secret": "Jefe", "signature": "7/zfauXrL6LSdBbV8YTfnCWafHk="}


def verify(*, body=VECTOR["body"], secrets=("Jefe",), **headers):
    verify_signature(
        headers={"Signature": VECTOR["signature"]} | headers, body=body, secrets=secrets, url="https://x", now=0
    )


def test_signature_is_accepted_under_any_of_several_secrets():
    verify()
    verify(secrets=["another", "Jefe"])


def test_wrong_signature_is_rejected():
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
def test_secret_must_be_one_word(secret):
    with pytest.raises(InvalidSecret):
        check_secret(secret)


def test_generated_secret_is_valid():
    check_secret(generate_secret())

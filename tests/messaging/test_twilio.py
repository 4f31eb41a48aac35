"""Twilio's webhook events, and its signature with the documented vector."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from messaging.providers.errors import BadSignature, FieldError, InvalidPayload, NotHandled
from messaging.providers.twilio.signature import generate_secret, sign, verify_signature
from messaging.providers.twilio.webhook import read_envelope, read_event
from tests.messaging.payloads import CALLER, OUR_NUMBER, twilio_message, twilio_status

RECEIVED = datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
URL = "https://crm.example.com/webhooks/twilio/acme"
PHOTO, PLAN = "https://files.example.com/roof.jpg", "https://files.example.com/plan.pdf"


def envelope_of(payload):
    return read_envelope(urlencode(payload).encode(), FORM)


def read(payload):
    return read_event(envelope_of(payload), received_at=RECEIVED)


def test_received_message_is_read():
    event = read(twilio_message(MessageSid="SM1"))
    assert (event.openphone_id, event.direction, event.status) == ("SM1", "incoming", "received")
    assert (event.from_number, event.to_numbers, event.body) == (CALLER, (OUR_NUMBER,), "Can you come on Tuesday?")
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))
    assert (event.created_at, event.media, event.opt_out_type) == (RECEIVED, (), "")


def test_received_message_may_lack_a_status():
    text = twilio_message(MessageSid="SM1")
    del text["SmsStatus"]
    assert read(text) == read(twilio_message(MessageSid="SM1"))


@pytest.mark.parametrize("channel", ["whatsapp", "RCS", "sms"])
def test_sender_may_have_its_channel_before_its_number(channel):
    event = read(twilio_message(From=f"{channel}:{CALLER}", To=f"{channel}:{OUR_NUMBER}"))
    assert (event.from_number, event.outside_numbers, event.company_numbers) == (CALLER, (CALLER,), (OUR_NUMBER,))


def test_rcs_agent_is_a_line_without_a_number():
    event = read(twilio_message(From=f"rcs:{CALLER}", To="rcs:acme_2125550100_agent"))
    assert (event.line_id, event.company_numbers) == ("rcs:acme_2125550100_agent", ())


def test_code_in_a_second_receipt_is_another_event():
    assert envelope_of(twilio_status("undelivered", MessageSid="SM1")).id == "SM1:undelivered"
    assert envelope_of(twilio_status("undelivered", MessageSid="SM1", ErrorCode="30007")).id == "SM1:undelivered:30007"


def test_message_without_content_is_not_handled():
    assert envelope_of({"MessageSid": "SM1", "From": CALLER, "EventType": "onChannelAdded"}).type == "unknown"


def test_all_files_are_kept():
    files = {"NumMedia": "2", "MediaUrl0": PHOTO, "MediaContentType0": "image/jpeg", "MediaUrl1": PLAN}
    assert read(twilio_message(**files)).media == ({"url": PHOTO, "type": "image/jpeg"}, {"url": PLAN, "type": ""})


@pytest.mark.parametrize("kind", ["STOP", "START", "HELP"])
def test_opt_out_type_is_kept(kind):
    assert read(twilio_message(Body=kind, OptOutType=kind)).opt_out_type == kind


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("accepted", "sent"),
        ("queued", "sent"),
        ("sending", "sent"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("undelivered", "undelivered"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_status_update_is_outgoing_and_has_no_body(sent, status):
    event = read(twilio_status(sent, MessageSid="SM1"))
    assert (event.openphone_id, event.direction, event.status, event.body) == ("SM1", "outgoing", status, "")
    assert (event.company_numbers, event.outside_numbers) == ((OUR_NUMBER,), (CALLER,))


def test_failure_has_its_code():
    assert read(twilio_status("undelivered", ErrorCode="30006")).error_code == "30006"


def test_unknown_status_is_not_handled():
    with pytest.raises(NotHandled, match="teleported"):
        read(twilio_status("teleported"))


def test_event_id_consists_of_message_id_and_status():
    assert envelope_of(twilio_message(MessageSid="SM1")).id == "SM1:received"
    assert envelope_of(twilio_status("sent", MessageSid="SM1")).id == "SM1:sent"
    assert envelope_of(twilio_status("delivered", MessageSid="", SmsSid="SM2")).id == "SM2:delivered"


def test_other_event_is_not_handled():
    envelope = envelope_of({"CallSid": "CA1", "AccountSid": "AC1", "CallStatus": "ringing"})
    assert (envelope.type, envelope.id) == ("unknown", "")
    with pytest.raises(NotHandled):
        read_event(envelope, received_at=RECEIVED)


def test_unstorable_characters_become_replacement_characters():
    envelope = read_envelope(b"MessageSid=SM1&Body=a%00b%FFc", FORM)
    assert envelope.content["Body"] == "a\ufffdb\ufffdc"
    assert "U+FFFD" in envelope.warning


def test_too_long_id_is_named():
    with pytest.raises(FieldError, match=r"^MessageSid: longer than 100"):
        read(twilio_message(MessageSid="x" * 101))


@pytest.mark.parametrize("field", ["From", "To", "Body", "ErrorCode", "OptOutType"])
def test_invalid_field_of_a_json_event_is_named(field):
    body = json.dumps(twilio_message(**{field: {"a": 1}})).encode()
    with pytest.raises(FieldError, match=f"^{field}: "):
        read_event(read_envelope(body, {}), received_at=RECEIVED)


def test_form_with_too_many_fields_is_rejected():
    with pytest.raises(InvalidPayload, match="1000 fields"):
        read_envelope(b"a=1&" * 2000, FORM)


# --- Signatures -------------------------------------------------------------------------------------------------------

TOKEN, DOCUMENTED_URL = "12345", "https://mycompany.com/myapp.php?foo=1&bar=2"
SIGNATURE = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+12349013030",
    "Digits": "1234",
    "From": "+12349013030",
    "To": "+18005551212",
}


def verify(*, body=None, url=DOCUMENTED_URL, secrets=(TOKEN,), **headers):
    verify_signature(
        headers=FORM | {"X-Twilio-Signature": SIGNATURE} | headers,
        body=urlencode(CALL).encode() if body is None else body,
        secrets=secrets,
        url=url,
        now=0,
    )


def test_documented_vector_is_accepted_in_any_field_order():
    verify()
    verify(body=urlencode(dict(reversed(CALL.items()))).encode())
    verify(secrets=["another", TOKEN])
    verify(**{"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"})


def test_documented_vector_is_reproduced():
    signed = sign(secret=TOKEN, body=urlencode(CALL).encode(), url=DOCUMENTED_URL, now=0)
    assert signed["x-twilio-signature"] == SIGNATURE


def test_wrong_signature_is_rejected():
    wrong = [
        {"body": urlencode(CALL | {"Digits": "1235"}).encode()},
        {"body": urlencode(CALL | {"More": ""}).encode()},
        {"body": b""},
        {"body": b"a=1&" * 2000},
        {"url": DOCUMENTED_URL.replace("foo=1", "foo=2")},
        {"url": DOCUMENTED_URL.replace("https", "http")},
        {"secrets": []},
        {"secrets": ["54321"]},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "é"},
        {"Content-Type": "application/json"},
        {"Content-Type": ""},
    ]
    for case in wrong:
        with pytest.raises(BadSignature):
            verify(**case)


@pytest.mark.parametrize(
    ("signed", "ours"),
    [
        ("https://crm.example.com:443/x", "https://crm.example.com/x"),
        ("https://crm.example.com/x", "https://crm.example.com:443/x"),
        ("http://crm.example.com:80/x", "http://crm.example.com/x"),
        ("https://crm.example.com/x", "https://crm.example.com:8443/x"),
        ("https://crm.example.com:8443/x", "https://crm.example.com:8443/x"),
    ],
)
def test_port_may_be_part_of_the_signed_url(signed, ours):
    headers = sign(secret=TOKEN, body=b"a=1", url=signed, now=0)
    verify_signature(headers=headers, body=b"a=1", secrets=[TOKEN], url=ours, now=0)


def test_repeated_field_is_signed_with_each_value():
    body = b"MediaUrl=b&MediaUrl=a&MediaUrl=a"
    expected = sign(secret=TOKEN, body=b"", url=f"{URL}MediaUrlaMediaUrlb", now=0)
    verify_signature(headers=FORM | expected, body=body, secrets=[TOKEN], url=URL, now=0)


@pytest.mark.parametrize("text", ["é🙂", "a+b & c=d", "\xff"])
def test_any_characters_can_be_signed(text):
    body = urlencode({"Body": text}).encode() + b"&Raw=%FF"
    verify_signature(headers=sign(secret=TOKEN, body=body, url=URL, now=0), body=body, secrets=[TOKEN], url=URL, now=0)


def test_json_body_is_signed_by_its_hash_in_the_url():
    body = b'{"MessageSid": "SM1"}'
    url = f"{URL}?bodySHA256={sha256(body).hexdigest()}"
    headers = sign(secret=TOKEN, body=b"", url=url, now=0) | {"content-type": "application/json"}
    verify_signature(headers=headers, body=body, secrets=[TOKEN], url=url, now=0)
    for other_body, other_url in [(body + b" ", url), (body, URL), (b"", f"{URL}?bodySHA256=")]:
        with pytest.raises(BadSignature):
            verify_signature(headers=headers, body=other_body, secrets=[TOKEN], url=other_url, now=0)


def test_secret_cannot_be_generated():
    assert generate_secret() == ""

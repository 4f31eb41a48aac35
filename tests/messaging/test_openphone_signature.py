"""OpenPhone's signatures, with the vector of Standard Webhooks and a captured legacy one."""

import pytest

from messaging.providers.errors import BadSignature, InvalidSecret
from messaging.providers.openphone.signature import (
    check_secret,
    generate_secret,
    sign_current,
    sign_legacy,
    verify_signature,
)

CURRENT = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "body": b'{"test": 2432232314}',
    "headers": {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
}
LEGACY = {
    "secret": "R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg=",
    "body": (
        b'{"id":"EVtest0001","object":"event","apiVersion":"v4","createdAt":"2026-11-21T15:00:00.000Z",'
        b'"type":"message.received","data":{"object":{"id":"ACtest0001","object":"message","from":"+15555550123",'
        b'"to":["+15555550100"],"direction":"incoming","text":"STOP","status":"delivered",'
        b'"createdAt":"2026-11-21T15:00:00.000Z","userId":"UStest01","phoneNumberId":"PNtest01","contactIds":[]}}}'
    ),
    "headers": {"openphone-signature": "hmac;1;1795273200000;YnqZ3V1DznoFWAYnX3WSB0e+WNna0l+BxBbXIQrDSWg="},
}
THEN = 1614265330
VECTORS = pytest.mark.parametrize("vector", [CURRENT, LEGACY], ids=["current", "legacy"])


def verify(vector, *, headers=None, body=None, secrets=None, now=THEN):
    verify_signature(
        headers=vector["headers"] | (headers or {}),
        body=vector["body"] if body is None else body,
        secrets=[vector["secret"]] if secrets is None else secrets,
        url="https://crm.example.com/webhooks/openphone/acme",
        now=now,
    )


@VECTORS
def test_published_vector_is_accepted(vector):
    verify(vector)


def test_published_vectors_are_reproduced():
    stamps = {"event_id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "timestamp": "1614265330"}
    assert sign_current(secret=CURRENT["secret"], body=CURRENT["body"], **stamps) == CURRENT["headers"]
    assert sign_legacy(secret=LEGACY["secret"], body=LEGACY["body"], timestamp="1795273200000") == LEGACY["headers"]


@VECTORS
def test_changed_byte_is_rejected(vector):
    with pytest.raises(BadSignature):
        verify(vector, body=vector["body"].replace(b"2", b"3", 1))


@VECTORS
def test_another_secret_is_rejected(vector):
    with pytest.raises(BadSignature):
        verify(vector, secrets=["c29tZWJvZHkgZWxzZQ=="])


@VECTORS
def test_missing_secret_rejects_everything(vector):
    with pytest.raises(BadSignature):
        verify(vector, secrets=[])


@VECTORS
def test_one_of_several_secrets_is_enough_even_beside_an_invalid_one(vector):
    verify(vector, secrets=["not base64!", "c29tZWJvZHkgZWxzZQ==", vector["secret"]])


@VECTORS
def test_secret_prefix_makes_no_difference(vector):
    verify(vector, secrets=["whsec_" + vector["secret"].removeprefix("whsec_")])


@VECTORS
def test_header_names_may_have_any_case(vector):
    capitals = {name.title(): value for name, value in vector["headers"].items()}
    verify(vector | {"headers": capitals})


def test_one_of_several_current_signatures_is_enough():
    signature = CURRENT["headers"]["webhook-signature"]
    verify(CURRENT, headers={"webhook-signature": f"v1,AAAA v2,BBBB {signature}"})


def test_one_of_several_legacy_signatures_is_enough():
    signature = LEGACY["headers"]["openphone-signature"]
    verify(LEGACY, headers={"openphone-signature": f"hmac;1;1;AAAA, {signature}"})


@pytest.mark.parametrize("off", [-301, 301])
def test_current_event_outside_the_clock_tolerance_is_rejected(off):
    with pytest.raises(BadSignature, match="clock"):
        verify(CURRENT, now=THEN + off)


@pytest.mark.parametrize("off", [-300, 300])
def test_current_event_within_the_clock_tolerance_is_accepted(off):
    verify(CURRENT, now=THEN + off)


def test_legacy_event_may_be_late():
    verify(LEGACY, now=1795273200 + 3 * 24 * 3600)


@pytest.mark.parametrize("timestamp", ["", "soon", "-1614265330", "9" * 5000, "१६१४२६५३३०"])
def test_invalid_timestamp_is_rejected(timestamp):
    with pytest.raises(BadSignature):
        verify(CURRENT, headers={"webhook-timestamp": timestamp})


@pytest.mark.parametrize(
    "signature", ["", "hmac", "hmac;1;2", "hmac;2;1795273200000;x", ";;;", "hmac;1;1795273200000;é", "sha256=00"]
)
def test_malformed_legacy_header_is_rejected(signature):
    with pytest.raises(BadSignature):
        verify(LEGACY, headers={"openphone-signature": signature})


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v1,é"])
def test_malformed_current_header_is_rejected(signature):
    with pytest.raises(BadSignature):
        verify(CURRENT, headers={"webhook-signature": signature})


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", "AAA", "é"])
def test_secret_that_is_not_base64_is_rejected(secret):
    with pytest.raises(InvalidSecret):
        check_secret(secret)


def test_generated_secrets_are_valid_and_unique():
    first, second = generate_secret(), generate_secret()
    check_secret(first)
    assert first != second

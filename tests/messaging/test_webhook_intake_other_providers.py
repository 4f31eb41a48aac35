"""Webhook intake for the providers other than OpenPhone."""

from urllib.parse import urlencode

import pytest

from crm.db.tenancy import all_tenants
from messaging.models import WebhookEvent
from messaging.providers.registry import PROVIDERS
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import EVERY_SHAPE, SECRET, callrail_call, post_event, twilio_message, twilio_status

pytestmark = pytest.mark.django_db
OTHER_SHAPES = [(provider, build) for provider, build in EVERY_SHAPE if provider != "openphone"]
each_shape = pytest.mark.parametrize(("provider", "build"), OTHER_SHAPES)


@pytest.fixture
def own_secret(acme, provider):
    return WebhookSecretFactory(company=acme, provider=provider)


@pytest.fixture
def callrail(acme):
    return WebhookSecretFactory(company=acme, provider="callrail")


@pytest.fixture
def twilio(acme):
    return WebhookSecretFactory(company=acme, provider="twilio")


def stored():
    with all_tenants():
        return list(WebhookEvent.objects.order_by("id"))


@each_shape
def test_event_is_accepted_for_its_own_provider(client, own_secret, provider, build):
    assert post_event(client, build(), provider=provider).status_code == 200
    assert [(event.provider, event.status) for event in stored()] == [(provider, "pending")]


@each_shape
def test_secret_of_another_provider_is_refused(client, secret, provider, build):
    assert post_event(client, build(), provider=provider).status_code == 401
    assert stored() == []


@each_shape
def test_secret_of_another_company_is_refused(client, own_secret, globex, provider, build):
    WebhookSecretFactory(company=globex, provider=provider, secret="of-globex")
    assert post_event(client, build(), provider=provider, secret="of-globex").status_code == 401
    assert stored() == []


@each_shape
def test_invalid_signature_stores_nothing(client, own_secret, provider, build):
    unsigned = client.post(f"/webhooks/{provider}/acme", build(), content_type="application/json")
    wrong = post_event(client, build(), provider=provider, secret="another")
    assert (unsigned.status_code, wrong.status_code) == (401, 401)
    assert stored() == []


@each_shape
def test_both_secrets_are_valid_during_a_rotation(client, acme, own_secret, provider, build):
    WebhookSecretFactory(company=acme, provider=provider, secret="the-new-one")
    for secret in (SECRET, "the-new-one"):
        assert post_event(client, build(), provider=provider, secret=secret).status_code == 200
    assert len(stored()) == 2


@each_shape
def test_repeated_event_is_one_row(client, own_secret, provider, build):
    payload = build()
    for _ in range(2):
        assert post_event(client, payload, provider=provider).status_code == 200
    assert len(stored()) == 1


def test_modified_call_is_a_new_event_under_the_same_id(client, callrail):
    call = callrail_call()
    for payload in (call, call | {"recording": "https://files.example.com/r.mp3"}):
        assert post_event(client, payload, provider="callrail").json()["status"] == "accepted"
    assert len(stored()) == 2


def test_each_status_of_a_message_is_an_event(client, twilio):
    for status in ("sent", "delivered", "sent"):
        post_event(client, twilio_status(status, MessageSid="SM1"), provider="twilio")
    assert [event.event_id for event in stored()] == ["SM1:sent", "SM1:delivered"]


def test_form_is_stored_unchanged_and_read_later(client, twilio):
    text = twilio_message(Body="Half past 3 & 20% off? é")
    post_event(client, text, provider="twilio")
    [event] = stored()
    assert bytes(event.body) == urlencode(text).encode()
    assert PROVIDERS["twilio"].webhook.read_envelope(bytes(event.body), event.headers).content == text


def test_twilio_gets_an_empty_twiml_response(client, twilio):
    response = post_event(client, twilio_message(), provider="twilio")
    assert (response.content, response["Content-Type"]) == (b"<Response/>", "text/xml")


@pytest.mark.parametrize("public_url", ["https://crm.example.com", "http://127.0.0.1:8000"])
def test_twilio_signs_the_public_url(client, twilio, settings, public_url):
    settings.PUBLIC_URL = public_url
    assert post_event(client, twilio_message(), provider="twilio", query="?line=1&b=%20").status_code == 200


@pytest.mark.parametrize("body", [b"a=1", b"=", b"CallSid=CA1&CallStatus=ringing", b"&" * 100, b"\xff=\xff"])
def test_form_without_a_message_is_ignored(client, twilio, body):
    assert post_event(client, body, provider="twilio").status_code == 200
    assert [(event.event_type, event.status) for event in stored()] == [("unknown", "ignored")]


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{", b"\xff"])
def test_unreadable_body_is_stored_as_dead(client, callrail, body):
    assert post_event(client, body, provider="callrail").json()["status"] == "stored"
    assert [event.status for event in stored()] == ["dead"]

"""The doors of CallRail and Twilio: as OpenPhone's, each with a signature and ids of its own kind."""

from urllib.parse import urlencode

import pytest

from crm.db.tenancy import all_tenants
from messaging.models import WebhookEvent
from messaging.providers.registry import PROVIDERS
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import SECRET, callrail_call, callrail_text, deliver, twilio_status, twilio_text

pytestmark = pytest.mark.django_db
EVERY_SHAPE = pytest.mark.parametrize(
    ("provider", "build"),
    [
        ("callrail", callrail_call),
        ("callrail", callrail_text),
        ("twilio", twilio_text),
        ("twilio", twilio_status),
    ],
)


@pytest.fixture
def callrail(acme):
    return WebhookSecretFactory(company=acme, provider="callrail")


@pytest.fixture
def twilio(acme):
    return WebhookSecretFactory(company=acme, provider="twilio")


def stored():
    with all_tenants():
        return list(WebhookEvent.objects.order_by("id"))


@EVERY_SHAPE
def test_a_delivery_is_taken_under_its_own_provider(client, callrail, twilio, provider, build):
    assert deliver(client, build(), provider=provider).status_code == 200
    assert [(event.provider, event.status) for event in stored()] == [(provider, "pending")]


@EVERY_SHAPE
def test_another_providers_secret_opens_nothing(client, secret, provider, build):
    assert deliver(client, build(), provider=provider).status_code == 401
    assert stored() == []


@EVERY_SHAPE
def test_another_companys_secret_opens_nothing(client, callrail, twilio, globex, provider, build):
    WebhookSecretFactory(company=globex, provider=provider, secret="of-globex")
    assert deliver(client, build(), provider=provider, secret="of-globex").status_code == 401
    assert stored() == []


@EVERY_SHAPE
def test_without_a_good_signature_nothing_is_stored(client, callrail, twilio, provider, build):
    unsigned = client.post(f"/webhooks/{provider}/acme", build(), content_type="application/json")
    wrong = deliver(client, build(), provider=provider, secret="another")
    assert (unsigned.status_code, wrong.status_code) == (401, 401)
    assert stored() == []


@EVERY_SHAPE
def test_during_a_rotation_the_old_and_the_new_secret_open_the_door(client, acme, callrail, twilio, provider, build):
    WebhookSecretFactory(company=acme, provider=provider, secret="the-new-one")
    for secret in (SECRET, "the-new-one"):
        assert deliver(client, build(), provider=provider, secret=secret).status_code == 200
    assert len(stored()) == 2


@EVERY_SHAPE
def test_a_repeated_delivery_is_one_row(client, callrail, twilio, provider, build):
    payload = build()
    for _ in range(2):
        assert deliver(client, payload, provider=provider).status_code == 200
    assert len(stored()) == 1


def test_a_call_that_was_modified_is_news_under_the_same_id(client, callrail):
    call = callrail_call()
    for payload in (call, call | {"recording": "https://files.example.com/r.mp3"}):
        assert deliver(client, payload, provider="callrail").json()["status"] == "accepted"
    assert len(stored()) == 2


def test_each_status_of_a_text_is_news(client, twilio):
    for status in ("sent", "delivered", "sent"):
        deliver(client, twilio_status(status, MessageSid="SM1"), provider="twilio")
    assert [event.event_id for event in stored()] == ["SM1:sent", "SM1:delivered"]


def test_a_form_is_stored_as_it_came_and_can_be_read_later(client, twilio):
    text = twilio_text(Body="Half past 3 & 20% off? é")
    deliver(client, text, provider="twilio")
    [event] = stored()
    assert bytes(event.body) == urlencode(text).encode()
    assert PROVIDERS["twilio"].webhook.read_envelope(bytes(event.body), event.headers).content == text


def test_twilio_is_told_to_do_nothing(client, twilio):
    response = deliver(client, twilio_text(), provider="twilio")
    assert (response.content, response["Content-Type"]) == (b"<Response/>", "text/xml")


@pytest.mark.parametrize("public_url", ["https://crm.example.com", "http://127.0.0.1:8000"])
def test_twilio_signs_the_url_that_the_outside_world_sees(client, twilio, settings, public_url):
    settings.PUBLIC_URL = public_url
    assert deliver(client, twilio_text(), provider="twilio", query="?line=1&b=%20").status_code == 200


@pytest.mark.parametrize("body", [b"a=1", b"=", b"CallSid=CA1&CallStatus=ringing", b"&" * 100, b"\xff=\xff"])
def test_a_form_that_tells_of_no_text_is_kept(client, twilio, body):
    assert deliver(client, body, provider="twilio").status_code == 200
    assert [(event.event_type, event.status) for event in stored()] == [("unknown", "ignored")]


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{", b"\xff"])
def test_what_cannot_be_read_is_stored_and_marked(client, callrail, body):
    assert deliver(client, body, provider="callrail").json()["status"] == "stored"
    assert [event.status for event in stored()] == ["dead"]

"""POST /webhooks/{provider}/{company}: verification, storage and response."""

import hashlib
import json

import pytest
from django.test import Client

from crm.db.tenancy import all_tenants
from crm.models import Company
from messaging.models import WebhookEvent
from tests.count_queries import CountQueries
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import legacy, message_2026, message_v3, message_v4, post_event

pytestmark = pytest.mark.django_db
OTHER_SECRET = "whsec_c29tZWJvZHkgZWxzZQ=="


def stored():
    with all_tenants():
        return list(WebhookEvent.objects.order_by("id"))


def raw(text):
    """Return a webhook event with this text as raw JSON."""
    return json.dumps(message_v4(text="@")).replace("@", text).encode()


@pytest.mark.parametrize("build", [message_v3, message_v4, message_2026])
def test_event_is_stored_unchanged(client, secret, build):
    payload = build()
    body = json.dumps(payload, indent=3).encode()
    response = post_event(client, body)
    assert (response.status_code, response.json()) == (200, {"status": "accepted", "reason": ""})
    [event] = stored()
    assert bytes(event.body) == body
    assert (event.company, event.provider) == (secret.company, "openphone")
    assert (event.event_id, event.event_type) == (payload["id"], "message.received")
    assert (event.status, event.processed, event.tries, event.error) == ("pending", False, 0, "")


def test_headers_are_stored_without_secret_ones(client, secret):
    post_event(client, message_v4(), authorization="Bearer abc", cookie="session=1", **{"user-agent": "Quo/1"})
    headers = {name.lower(): value for name, value in stored()[0].headers.items()}
    assert headers["user-agent"] == "Quo/1"
    assert headers["openphone-signature"].startswith("hmac;1;")
    assert not {"authorization", "cookie"} & set(headers)


def test_same_event_twice_is_one_row(client, secret):
    payload = message_v4()
    post_event(client, payload)
    response = post_event(client, payload)
    assert (response.status_code, response.json()["status"]) == (200, "duplicate")
    assert len(stored()) == 1


def test_two_companies_may_get_the_same_event(client, secret, globex):
    WebhookSecretFactory(company=globex)
    payload = message_v4()
    assert post_event(client, payload).json()["status"] == "accepted"
    assert post_event(client, payload, company="globex").json()["status"] == "accepted"
    assert {event.company for event in stored()} == {secret.company, globex}


@pytest.mark.parametrize("build", [message_v4, message_2026])
def test_wrong_secret_is_refused_and_nothing_stored(client, secret, build):
    response = post_event(client, build(), secret=OTHER_SECRET)
    assert (response.status_code, response.json()["status"]) == (401, "refused")
    assert stored() == []


def test_secret_of_another_company_is_refused(client, secret, globex):
    WebhookSecretFactory(company=globex, secret=OTHER_SECRET)
    assert post_event(client, message_v4(), secret=OTHER_SECRET).status_code == 401
    assert post_event(client, message_v4(), secret=OTHER_SECRET, company="globex").status_code == 200
    assert [event.company for event in stored()] == [globex]


def test_secret_of_another_provider_is_refused(client, acme):
    WebhookSecretFactory(company=acme, provider="callrail")
    assert post_event(client, message_v4()).status_code == 401
    assert stored() == []


class Unreadable:
    def read(self, *_size):
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.parametrize(
    ("provider", "header", "value"),
    [
        ("openphone", "webhook-signature", "v1,x " * 1500),
        ("openphone", "openphone-signature", "hmac;1;1;x," * 500),
        ("openphone", "x-other", "x"),
        ("twilio", "x-twilio-signature", "x" * 1001),
        ("callrail", "signature", "x" * 1001),
        ("callrail", "signature", ""),
    ],
)
def test_missing_or_long_signature_is_refused_before_the_body_is_read(client, secret, provider, header, value):
    odd = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": "2"}
    response = client.post(f"/webhooks/{provider}/acme", b"{}", "application/json", headers={header: value}, **odd)
    assert response.status_code == 401
    assert not stored()


def test_many_signatures_of_a_secret_rotation_are_compared(client, secret):
    headers = {"webhook-signature": " ".join(["v1,d3Jvbmc="] * 20)}
    response = post_event(client, message_2026())
    assert response.status_code == 200
    assert post_event(client, message_2026(), **headers).status_code == 401


def test_missing_signature_is_refused(client, secret):
    response = client.post("/webhooks/openphone/acme", message_v4(), content_type="application/json")
    assert response.status_code == 401
    assert stored() == []


@pytest.mark.parametrize("path", ["openphone/nobody", "twilio/nobody", "other/acme", "openphone/acme/", "acme", ""])
def test_unknown_company_or_provider_is_not_found(client, secret, path):
    assert client.post(f"/webhooks/{path}", b"{}", content_type="application/json").status_code == 404
    assert stored() == []
    assert list(Company.objects.all()) == [secret.company]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_is_allowed(client, secret, method):
    assert getattr(client, method)("/webhooks/openphone/acme").status_code == 405


def test_csrf_token_is_not_required(secret):
    assert post_event(Client(enforce_csrf_checks=True), message_v4()).status_code == 200


def test_ten_megabytes_are_accepted_and_one_byte_more_is_not(client, secret, settings):
    limit = 10 * 1024 * 1024
    assert limit == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = json.dumps(message_v4(text="")).encode()
    assert post_event(client, body + b" " * (limit - len(body) + 1)).status_code == 413
    assert stored() == []
    assert post_event(client, body + b" " * (limit - len(body))).json()["status"] == "accepted"
    assert len(bytes(stored()[0].body)) == limit


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"{",
        b"\x00",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"n": ' + b"9" * 5_000 + b"}",
        b"{}",
        b'{"type": 7}',
        b'{"type": ""}',
        b'{"object": {"id": "EV1"}}',
    ],
)
def test_unreadable_body_is_stored_as_dead(client, secret, body):
    response = post_event(client, body)
    assert (response.status_code, response.json()["status"]) == (200, "stored")
    [event] = stored()
    assert bytes(event.body) == body
    assert (event.status, event.processed) == ("dead", False)
    assert event.error == response.json()["reason"] != ""
    assert event.event_id == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert post_event(client, body).json()["status"] == "duplicate"


@pytest.mark.parametrize("unstorable", ["\\u0000", "\x00", "\\ud800", "\\udfff\\ud800"])
def test_unstorable_characters_are_accepted_with_a_warning(client, secret, unstorable):
    response = post_event(client, raw(f"Hi{unstorable}"))
    assert response.json()["status"] == "accepted"
    assert "U+FFFD" in stored()[0].error


@pytest.mark.parametrize("unstorable", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_invalid_utf_8_is_accepted_with_a_warning(client, secret, unstorable):
    response = post_event(client, raw("@").replace(b"@", unstorable))
    assert response.json()["status"] == "accepted"
    assert "UTF-8" in stored()[0].error


@pytest.mark.parametrize("text", ["\\ud83d\\ude42", "é🙂", "\\\\u0000", "\ufeff"])
def test_unusual_characters_give_no_warning(client, secret, text):
    post_event(client, raw(text))
    assert (stored()[0].status, stored()[0].error) == ("pending", "")


def test_byte_order_mark_gives_no_warning(client, secret):
    post_event(client, b"\xef\xbb\xbf" + raw("Hi"))
    assert (stored()[0].status, stored()[0].error) == ("pending", "")


@pytest.mark.parametrize("event_id", [None, 7, "", "  ", "x" * 201, "EV\x00", "EV\ud800", ["EV1"], {"id": 1}])
def test_unusable_id_is_replaced_by_a_hash(client, secret, event_id):
    body = json.dumps(legacy("message.received", {}, id=event_id)).encode()
    assert post_event(client, body).status_code == 200
    assert stored()[0].event_id == f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_current_event_without_an_id_gets_the_headers_id(client, secret):
    post_event(client, message_2026() | {"id": None})
    [event] = stored()
    assert event.event_id == event.headers["Webhook-Id"] != ""


def test_two_events_without_an_id_are_two_rows(client, secret):
    post_event(client, legacy("message.received", {"id": "AC1"}, id=None))
    post_event(client, legacy("message.received", {"id": "AC2"}, id=None))
    assert len(stored()) == 2


def test_long_type_is_shortened_and_unstorable_characters_replaced(client, secret):
    post_event(client, legacy("x" * 300, {}))
    post_event(client, legacy("message\x00", {}))
    assert [event.event_type for event in stored()] == ["x" * 100, "message\ufffd"]


def test_wrapped_event_is_unwrapped(client, secret):
    payload = message_v3()
    assert post_event(client, {"object": payload}).json()["status"] == "accepted"
    assert stored()[0].event_id == payload["id"]


@pytest.mark.parametrize(
    "event_type",
    [
        "task.assigned",
        "integration.created",
        "something.new",
    ],
)
def test_unsupported_type_is_stored_with_the_reason(client, secret, event_type):
    response = post_event(client, legacy(event_type, {"id": "TK1"}))
    assert response.json() == {"status": "stored", "reason": f"{event_type} events aren't supported yet."}
    [event] = stored()
    assert (event.event_type, event.status, event.processed) == (event_type, "ignored", True)
    assert event.error == response.json()["reason"]


def test_query_count_is_independent_of_the_number_of_events(client, secret):
    for _ in range(3):
        with CountQueries() as asked:
            post_event(client, message_v4())
        assert len(asked) == 3  # the company, its secrets, the event

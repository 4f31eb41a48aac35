"""POST /webhooks/{provider}/{company}: what is let in, what is stored, what is answered."""

import hashlib
import json

import pytest
from django.test import Client

from crm.db.tenancy import all_tenants
from crm.models import Company
from messaging.models import WebhookEvent
from tests.count_queries import CountQueries
from tests.factories import WebhookSecretFactory
from tests.messaging.payloads import deliver, legacy, text_2026, text_v3, text_v4

pytestmark = pytest.mark.django_db
OTHER_SECRET = "whsec_c29tZWJvZHkgZWxzZQ=="


def stored():
    with all_tenants():
        return list(WebhookEvent.objects.order_by("id"))


def raw(text):
    """A delivery whose message is `text`, as it stands in the JSON."""
    return json.dumps(text_v4(text="@")).replace("@", text).encode()


@pytest.mark.parametrize("build", [text_v3, text_v4, text_2026])
def test_a_delivery_is_stored_as_it_came(client, secret, build):
    payload = build()
    body = json.dumps(payload, indent=3).encode()
    response = deliver(client, body)
    assert (response.status_code, response.json()) == (200, {"status": "accepted", "reason": ""})
    [event] = stored()
    assert bytes(event.body) == body
    assert (event.company, event.provider) == (secret.company, "openphone")
    assert (event.event_id, event.event_type) == (payload["id"], "message.received")
    assert (event.status, event.processed, event.tries, event.error) == ("pending", False, 0, "")


def test_headers_are_stored_but_no_secret_ones(client, secret):
    deliver(client, text_v4(), authorization="Bearer abc", cookie="session=1", **{"user-agent": "Quo/1"})
    headers = {name.lower(): value for name, value in stored()[0].headers.items()}
    assert headers["user-agent"] == "Quo/1"
    assert headers["openphone-signature"].startswith("hmac;1;")
    assert not {"authorization", "cookie"} & set(headers)


def test_the_same_event_twice_is_one_row(client, secret):
    payload = text_v4()
    deliver(client, payload)
    response = deliver(client, payload)
    assert (response.status_code, response.json()["status"]) == (200, "duplicate")
    assert len(stored()) == 1


def test_two_companies_may_hear_of_the_same_event(client, secret, globex):
    WebhookSecretFactory(company=globex)
    payload = text_v4()
    assert deliver(client, payload).json()["status"] == "accepted"
    assert deliver(client, payload, company="globex").json()["status"] == "accepted"
    assert {event.company for event in stored()} == {secret.company, globex}


@pytest.mark.parametrize("build", [text_v4, text_2026])
def test_a_wrong_secret_is_refused_and_nothing_stored(client, secret, build):
    response = deliver(client, build(), secret=OTHER_SECRET)
    assert (response.status_code, response.json()["status"]) == (401, "refused")
    assert stored() == []


def test_another_companys_secret_is_refused(client, secret, globex):
    WebhookSecretFactory(company=globex, secret=OTHER_SECRET)
    assert deliver(client, text_v4(), secret=OTHER_SECRET).status_code == 401
    assert deliver(client, text_v4(), secret=OTHER_SECRET, company="globex").status_code == 200
    assert [event.company for event in stored()] == [globex]


def test_another_providers_secret_is_refused(client, acme):
    WebhookSecretFactory(company=acme, provider="callrail")
    assert deliver(client, text_v4()).status_code == 401
    assert stored() == []


def test_no_signature_is_refused(client, secret):
    response = client.post("/webhooks/openphone/acme", text_v4(), content_type="application/json")
    assert response.status_code == 401
    assert stored() == []


@pytest.mark.parametrize("path", ["openphone/nobody", "twilio/nobody", "other/acme", "openphone/acme/", "acme", ""])
def test_an_unknown_company_or_provider_is_not_found_and_makes_nothing(client, secret, path):
    assert client.post(f"/webhooks/{path}", b"{}", content_type="application/json").status_code == 404
    assert stored() == []
    assert list(Company.objects.all()) == [secret.company]


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_is_allowed(client, secret, method):
    assert getattr(client, method)("/webhooks/openphone/acme").status_code == 405


def test_it_asks_for_no_csrf_token(secret):
    assert deliver(Client(enforce_csrf_checks=True), text_v4()).status_code == 200


def test_ten_megabytes_are_taken_and_one_byte_more_is_not(client, secret, settings):
    limit = 10 * 1024 * 1024
    assert limit == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = json.dumps(text_v4(text="")).encode()
    assert deliver(client, body + b" " * (limit - len(body) + 1)).status_code == 413
    assert stored() == []
    assert deliver(client, body + b" " * (limit - len(body))).json()["status"] == "accepted"
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
def test_what_cannot_be_read_is_stored_and_marked(client, secret, body):
    response = deliver(client, body)
    assert (response.status_code, response.json()["status"]) == (200, "stored")
    [event] = stored()
    assert bytes(event.body) == body
    assert (event.status, event.processed) == ("dead", False)
    assert event.error == response.json()["reason"] != ""
    assert event.event_id == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert deliver(client, body).json()["status"] == "duplicate"


@pytest.mark.parametrize("dirt", ["\\u0000", "\x00", "\\ud800", "\\udfff\\ud800"])
def test_what_no_database_holds_is_taken_with_a_remark(client, secret, dirt):
    response = deliver(client, raw(f"Hi{dirt}"))
    assert response.json()["status"] == "accepted"
    assert "U+FFFD" in stored()[0].error


@pytest.mark.parametrize("dirt", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_invalid_utf_8_is_taken_with_a_remark(client, secret, dirt):
    response = deliver(client, raw("@").replace(b"@", dirt))
    assert response.json()["status"] == "accepted"
    assert "UTF-8" in stored()[0].error


@pytest.mark.parametrize("text", ["\\ud83d\\ude42", "é🙂", "\\\\u0000", "\ufeff"])
def test_unusual_text_is_no_dirt(client, secret, text):
    deliver(client, raw(text))
    assert (stored()[0].status, stored()[0].error) == ("pending", "")


def test_a_byte_order_mark_is_no_dirt(client, secret):
    deliver(client, b"\xef\xbb\xbf" + raw("Hi"))
    assert (stored()[0].status, stored()[0].error) == ("pending", "")


@pytest.mark.parametrize("event_id", [None, 7, "", "  ", "x" * 201, "EV\x00", "EV\ud800", ["EV1"], {"id": 1}])
def test_an_id_that_cannot_be_kept_is_replaced_by_a_hash(client, secret, event_id):
    body = json.dumps(legacy("message.received", {}, id=event_id)).encode()
    assert deliver(client, body).status_code == 200
    assert stored()[0].event_id == f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_a_current_delivery_without_an_id_has_the_headers(client, secret):
    deliver(client, text_2026() | {"id": None})
    [event] = stored()
    assert event.event_id == event.headers["Webhook-Id"] != ""


def test_two_deliveries_without_an_id_are_two_rows(client, secret):
    deliver(client, legacy("message.received", {"id": "AC1"}, id=None))
    deliver(client, legacy("message.received", {"id": "AC2"}, id=None))
    assert len(stored()) == 2


def test_a_long_type_is_cut_and_a_dirty_one_cleaned(client, secret):
    deliver(client, legacy("x" * 300, {}))
    deliver(client, legacy("message\x00", {}))
    assert [event.event_type for event in stored()] == ["x" * 100, "message\ufffd"]


def test_a_wrapped_event_is_unwrapped(client, secret):
    payload = text_v3()
    assert deliver(client, {"object": payload}).json()["status"] == "accepted"
    assert stored()[0].event_id == payload["id"]


@pytest.mark.parametrize(
    "event_type",
    [
        "task.assigned",
        "integration.created",
        "something.new",
    ],
)
def test_what_nothing_is_done_about_yet_is_kept_with_the_reason(client, secret, event_type):
    response = deliver(client, legacy(event_type, {"id": "TK1"}))
    assert response.json() == {"status": "stored", "reason": f"{event_type} events aren't supported yet."}
    [event] = stored()
    assert (event.event_type, event.status, event.processed) == (event_type, "ignored", True)
    assert event.error == response.json()["reason"]


def test_a_delivery_costs_the_same_few_queries_whatever_is_stored(client, secret):
    for _ in range(3):
        with CountQueries() as asked:
            deliver(client, text_v4())
        assert len(asked) == 3  # the company, its secrets, the delivery

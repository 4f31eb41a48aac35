"""Connections to providers: what a manager sets up there, reads and tests."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry, IdempotencyKey
from messaging.models import ProviderAccount, WebhookEvent, WebhookSecret
from tests.count_queries import CountQueries
from tests.errors import errors_of
from tests.factories import PhoneLineFactory, ProviderAccountFactory, WebhookEventFactory, WebhookSecretFactory
from tests.messaging.payloads import message_v4, post_event

URL, TEST = "/api/v1/provider-connections", "/api/v1/provider-connections/test"
SECRET = "whsec_R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg="
KEY = "0123456789abcdefWXYZ"


def connection(api, provider):
    [found] = [each for each in api.get(URL).json()["connections"] if each["provider"] == provider]
    return found


def checks(api, provider):
    answer = api.post(TEST, {"provider": provider}).json()
    assert answer["is_ok"] == all(check["is_ok"] for check in answer["checks"])
    return {check["name"]: check["fault"] for check in answer["checks"]}


@pytest.fixture
def https(settings):
    settings.PUBLIC_URL = "https://crm.example.com"


def test_connection_has_the_url_to_copy_and_what_is_set_but_no_secret(manager_api, acme, globex, https):
    for company in (acme, globex):
        WebhookSecretFactory(company=company, secret=SECRET)
        ProviderAccountFactory(company=company, api_key=KEY)
    event = WebhookEventFactory(company=acme)
    WebhookEventFactory(company=globex, provider="twilio")
    line = PhoneLineFactory(company=acme, name="Sales", pause_reason="No credit.", paused_until=event.created_at)
    PhoneLineFactory(company=globex)
    found = connection(manager_api, "openphone")
    assert found["webhook_url"] == f"https://crm.example.com/webhooks/openphone/{acme.slug}"
    assert (found["has_secret"], len(found["secrets"])) == (True, 1)
    assert (found["has_account_key"], found["account_key_ending"]) == (True, "WXYZ")
    at = event.created_at.isoformat().replace("+00:00", "Z")
    assert found["last_event_at"] == at
    assert found["lines"] == [
        {"id": line.pk, "name": "Sales", "number": line.number, "paused_until": at, "pause_reason": "No credit."}
    ]
    other = connection(manager_api, "twilio")
    assert (other["has_secret"], other["has_account_key"], other["last_event_at"], other["lines"]) == (
        (False, False, None, [])
    )
    text = manager_api.get(URL).content.decode()
    assert SECRET not in text
    assert KEY not in text


def test_last_event_is_found_behind_any_number_of_another_providers(manager_api, acme, https):
    long_ago = now() - timedelta(days=40)
    old = WebhookEventFactory(company=acme, provider="twilio", created_at=long_ago)
    WebhookEventFactory(company=acme, provider="twilio", created_at=long_ago - timedelta(days=1))
    with all_tenants():
        WebhookEvent.objects.bulk_create(WebhookEventFactory.build(company=acme) for _ in range(1001))
    last = {each["provider"]: each["last_event_at"] for each in manager_api.get(URL).json()["connections"]}
    assert last["twilio"] == old.created_at.isoformat().replace("+00:00", "Z")
    assert (last["openphone"] > last["twilio"], last["callrail"]) == (True, None)


def test_connections_with_lines_come_first(manager_api, acme):
    PhoneLineFactory(company=acme, provider="twilio")
    assert manager_api.get(URL).json()["connections"][0]["provider"] == "twilio"


def test_short_key_shows_nothing_of_itself(manager_api, acme):
    ProviderAccountFactory(company=acme, api_key="short-key")
    assert connection(manager_api, "openphone")["account_key_ending"] == ""


def test_key_that_cannot_be_decrypted_is_still_there_to_be_replaced(manager_api, acme, settings):
    ProviderAccountFactory(company=acme, api_key=KEY)
    WebhookSecretFactory(company=acme, secret=SECRET)
    settings.SECRETS_KEYS = ["b" * 43 + "="]
    found = connection(manager_api, "openphone")
    assert (found["has_account_key"], found["account_key_ending"], found["has_secret"]) == (True, "", True)
    faults = checks(manager_api, "openphone")
    assert "can't be decrypted" in faults["webhook_secret"]
    assert "can't be decrypted" in faults["provider_account"]
    assert manager_api.patch(URL, {"provider": "openphone", "account_key": KEY[::-1]}).status_code == 200
    assert connection(manager_api, "openphone")["account_key_ending"] == "3210"


def test_manager_sets_secret_and_account_and_they_are_used(manager_api, acme, client):
    body = {"provider": "twilio", "secret": "auth-token-1", "account_key": KEY, "account_id": "AC1"}
    answer = manager_api.patch(URL, body)
    assert answer.status_code == 200
    assert answer.json() == connection(manager_api, "twilio")
    assert (answer.json()["has_secret"], answer.json()["account_id"]) == (True, "AC1")
    with all_tenants():
        assert WebhookSecret.objects.get().secret == "auth-token-1"
        assert (ProviderAccount.objects.get().api_key, ProviderAccount.objects.get().account_id) == (KEY, "AC1")


@pytest.mark.parametrize("key", ["key…", "two words", "line\nbreak", "café"])
def test_key_that_fits_into_no_header_is_refused(key, manager_api):
    refused = manager_api.patch(URL, {"provider": "openphone", "account_key": key})
    assert (refused.status_code, [*errors_of(refused)]) == (400, ["account_key"])


def test_account_id_changes_alone_and_the_key_stays(manager_api, acme):
    ProviderAccountFactory(company=acme, provider="twilio", api_key=KEY, account_id="AC1")
    assert manager_api.patch(URL, {"provider": "twilio", "account_id": "AC2"}).json()["account_id"] == "AC2"
    with all_tenants():
        assert ProviderAccount.objects.get().api_key == KEY


def test_secret_is_replaced_by_adding_another_and_removing_the_first(manager_api, acme, globex):
    first, foreign = WebhookSecretFactory(company=acme), WebhookSecretFactory(company=globex)
    added = manager_api.patch(URL, {"provider": "openphone", "secret": SECRET}).json()
    assert (len(added["secrets"]), added["secrets"][0]["id"]) == (2, first.pk)
    for pk in (foreign.pk, 9_999):
        refused = manager_api.patch(URL, {"provider": "openphone", "remove_secret": pk})
        assert (refused.status_code, list(errors_of(refused))) == (400, ["remove_secret"])
    assert manager_api.patch(URL, {"provider": "twilio", "remove_secret": first.pk}).status_code == 400
    left = manager_api.patch(URL, {"provider": "openphone", "remove_secret": first.pk}).json()["secrets"]
    assert left == added["secrets"][1:]
    with all_tenants():
        assert WebhookSecret.objects.filter(pk=foreign.pk).exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"provider": "openphone", "secret": "not base64!"}, "secret"),
        ({"provider": "twilio", "secret": "two words"}, "secret"),
        ({"provider": "twilio", "secret": "x" * 201}, "secret"),
        ({"provider": "twilio", "account_key": KEY}, "account_id"),
        ({"provider": "twilio", "account_id": "AC1"}, "account_key"),
        ({"provider": "twilio", "account_key": KEY, "account_id": "AC/1"}, "account_id"),
        ({"provider": "openphone", "account_key": ""}, "account_key"),
        ({"provider": "telex", "secret": SECRET}, "provider"),
        ({"secret": SECRET}, "provider"),
        ({"provider": "openphone", "has_secret": True}, "has_secret"),
        ({"provider": "openphone", "secret": SECRET, "account_key": ""}, "account_key"),
        ({"provider": "twilio", "secret": "fine", "account_key": KEY}, "account_id"),
    ],
)
def test_faulty_value_is_named_and_nothing_is_written(manager_api, body, field):
    response = manager_api.patch(URL, body)
    assert (response.status_code, list(errors_of(response))) == (400, [field])
    with all_tenants():
        assert not WebhookSecret.objects.exists()
        assert not ProviderAccount.objects.exists()


def test_same_secret_twice_is_refused(manager_api):
    assert manager_api.patch(URL, {"provider": "openphone", "secret": SECRET}).status_code == 200
    again = manager_api.patch(URL, {"provider": "openphone", "secret": SECRET})
    assert errors_of(again) == {"secret": ["The company already has this secret."]}


def test_audit_and_keys_of_requests_have_no_secret(manager, manager_api):
    body = {"provider": "twilio", "secret": "auth-token-1", "account_key": KEY, "account_id": "AC1"}
    assert manager_api.patch(URL, body, headers={"Idempotency-Key": "one"}).status_code == 200
    manager_api.post(TEST, {"provider": "twilio"}, headers={"Idempotency-Key": "two"})
    manager_api.patch(URL, {"provider": "twilio", "account_key": KEY[::-1]})
    with all_tenants():
        tables = ["webhook_secrets", "provider_accounts"]
        entries = list(AuditEntry.objects.filter(table_name__in=tables).order_by("id"))
        kept = json.dumps([*AuditEntry.objects.values("changes"), *IdempotencyKey.objects.values()], default=str)
    assert [(each.table_name, each.action, each.actor_id) for each in entries] == [
        ("webhook_secrets", "insert", manager.pk),
        ("provider_accounts", "insert", manager.pk),
        ("provider_accounts", "update", manager.pk),
    ]
    assert entries[2].changes == {"api_key": ["(hidden)", "(hidden)"]}
    for secret in ("auth-token-1", KEY, KEY[::-1]):
        assert secret not in kept


def test_connections_are_for_managers_alone(csr_api, rep_api):
    for api in (csr_api, rep_api):
        assert api.get(URL).status_code == 403
        assert api.patch(URL, {"provider": "openphone", "secret": SECRET}).status_code == 403
        assert api.post(TEST, {"provider": "openphone"}).status_code == 403


@pytest.mark.parametrize("provider", ["openphone", "callrail", "twilio"])
def test_test_of_a_whole_connection_finds_no_fault_and_leaves_nothing(manager_api, acme, https, provider):
    PhoneLineFactory(company=acme, provider=provider)
    for secret in (SECRET, "R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg="):
        WebhookSecretFactory(company=acme, provider=provider, secret=secret)
    ProviderAccountFactory(company=acme, provider=provider, account_id="AC1")
    assert set(checks(manager_api, provider).values()) == {""}
    with all_tenants():
        assert not WebhookEvent.objects.exists()
    assert connection(manager_api, provider)["last_event_at"] is None


def test_test_names_what_is_missing(manager_api, acme, globex):
    WebhookSecretFactory(company=globex)
    faults = checks(manager_api, "openphone")
    assert faults == {
        "webhook_url": "Providers send to https only; set PUBLIC_URL.",
        "webhook_secret": "Missing: the webhook's signing secret. All webhook events are refused.",
        "webhook_event": "There is no secret to sign a test event with.",
        "provider_account": "Missing: API key. No text can leave.",
        "phone_line": "There is no phone line of this provider.",
    }
    PhoneLineFactory(company=acme, name="Sales", number="", provider_id="PN1")
    assert checks(manager_api, "openphone")["phone_line"] == "Without a number: Sales."


def test_ended_pause_is_in_the_audit_with_its_reason(manager, manager_api, acme):
    line = PhoneLineFactory(company=acme, pause_reason="No credit.", paused_until="2027-03-01T00:00Z")
    url = f"/api/v1/phone-lines/{line.pk}"
    assert manager_api.post(f"{url}/resume").json()["pause_reason"] == ""
    assert manager_api.post(f"{url}/resume").status_code == 200
    [entry] = manager_api.get(f"/api/v1/audit?resource=phone-lines&object={line.pk}").json()["results"]
    assert (entry["action"], entry["user"], entry["changes"]["pause_reason"]) == (
        ("update", manager.pk, ["No credit.", ""])
    )


def test_connections_take_as_many_queries_for_many_rows(manager_api, acme):
    counts = []
    for _ in range(2):
        PhoneLineFactory.create_batch(3, company=acme)
        WebhookEventFactory.create_batch(3, company=acme)
        with CountQueries() as asked:
            manager_api.get(URL)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 7


def test_event_that_arrives_after_the_set_up_is_accepted_and_seen(manager_api, client, acme):
    manager_api.patch(URL, {"provider": "openphone", "secret": SECRET})
    assert connection(manager_api, "openphone")["last_event_at"] is None
    assert post_event(client, message_v4(), secret=SECRET).status_code == 200
    assert connection(manager_api, "openphone")["last_event_at"] is not None

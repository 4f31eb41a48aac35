"""Outgoing webhooks of API tokens, which end with their token."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from rest_framework.test import APIClient

from crm.db.tenancy import all_tenants
from crm.models import ApiToken, OutgoingEvent, OutgoingWebhook, User
from crm.services.expiry_cleanup import remove_expired
from crm.services.outgoing_webhooks.events import is_change_due, make_next_events
from crm.services.outgoing_webhooks.sending import claim_attempts
from tests.api.feed import settle
from tests.errors import code_of
from tests.factories import ApiTokenFactory, ContactFactory, OutgoingEventFactory, OutgoingWebhookFactory

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/outgoing-webhooks"
BODY = {"name": "Shop", "url": "https://hooks.example.com/crm", "resources": ["contacts"]}


@pytest.fixture
def token(manager_api):
    body = {"name": "Shop's program", "scopes": ["outgoing-webhooks:write", "outgoing-webhooks:read"]}
    return manager_api.post("/api/v1/api-tokens", body).json()


@pytest.fixture
def program(token):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token['token']}")
    return client


@pytest.fixture
def webhook(program, acme):
    """A webhook that the program has made, with an event to send."""
    made = program.post(URL, BODY)
    assert made.status_code == 201
    with all_tenants():
        OutgoingEventFactory(webhook=OutgoingWebhook.objects.get(), company=acme)
    return made.json()


def row_of(webhook):
    with all_tenants():
        return OutgoingWebhook.objects.get(pk=webhook["id"])


def revoke(token, manager_api):
    manager_api.post(f"/api/v1/api-tokens/{token['id']}/revoke")


def expire(token, manager_api):
    with all_tenants():
        ApiToken.objects.update(expires_at=now() - timedelta(seconds=1))


def deactivate_creator(token, manager_api):
    with all_tenants():
        User.objects.filter(username="maria").update(is_active=False)


def demote_creator(token, manager_api):
    with all_tenants():
        User.objects.filter(username="maria").update(role="csr")


ENDS = [revoke, expire, deactivate_creator, demote_creator]


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_sent_once_the_token_has_ended(webhook, token, manager_api, acme, end):
    ContactFactory(company=acme)
    settle()
    assert is_change_due()
    end(token, manager_api)
    assert not is_change_due()
    assert not make_next_events()
    assert claim_attempts(1) == []


@pytest.mark.parametrize("end", ENDS)
def test_webhook_is_switched_off_with_the_reason(webhook, token, manager_api, end):
    end(token, manager_api)
    if end is not revoke:
        remove_expired()  # the worker does it each minute
    row = row_of(webhook)
    reason = "Its API token, Shop's program, has ended. Switch it on, and it is yours."
    assert (row.is_active, row.disabled_reason) == (False, reason)
    with all_tenants():
        assert OutgoingEvent.objects.get().status == "dead"


def test_managers_get_a_notice(webhook, token, manager_api):
    revoke(token, manager_api)
    assert "outgoing_webhook_off" in [each["kind"] for each in manager_api.get("/api/v1/notices").json()["notices"]]


def test_webhooks_of_users_and_of_other_tokens_stay(webhook, token, manager_api, acme, globex):
    mine = manager_api.post(URL, BODY).json()
    theirs = OutgoingWebhookFactory(company=globex)
    assert (mine["api_token"], webhook["api_token"]) == (None, token["id"])
    revoke(token, manager_api)
    remove_expired()
    assert row_of(mine).is_active
    with all_tenants():
        assert OutgoingWebhook.objects.get(pk=theirs.pk).is_active


@pytest.mark.parametrize("change", [{"url": "https://other.example.com/"}, {"resources": ["calls"]}])
def test_token_that_says_where_or_what_a_webhook_sends_answers_for_it(program, token, manager_api, change):
    mine = manager_api.post(URL, BODY).json()
    assert program.patch(f"{URL}/{mine['id']}", {"name": "Till"}).json()["api_token"] is None
    assert program.patch(f"{URL}/{mine['id']}", change).json()["api_token"] == token["id"]
    revoke(token, manager_api)
    assert not row_of(mine).is_active


@pytest.mark.parametrize("same", [{"url": BODY["url"]}, {"resources": BODY["resources"]}, {"is_active": True}])
def test_unchanged_value_hands_a_webhook_to_nobody(program, token, webhook, manager_api, same):
    mine = manager_api.post(URL, BODY).json()
    assert program.patch(f"{URL}/{mine['id']}", same).json()["api_token"] is None
    assert program.post(f"{URL}/{mine['id']}/rotate-secret").status_code == 403
    kept = {name: webhook[name] for name in same}
    assert manager_api.patch(f"{URL}/{webhook['id']}", kept).json()["api_token"] == token["id"]


def test_token_gets_new_secrets_of_its_own_webhooks_alone(program, webhook, manager_api, acme):
    def rotate(api, pk):
        return api.post(f"{URL}/{pk}/rotate-secret")

    mine = manager_api.post(URL, BODY).json()
    another_tokens = OutgoingWebhookFactory(company=acme, api_token=ApiTokenFactory(company=acme))
    for other in (mine["id"], another_tokens.pk):
        with all_tenants():
            before = OutgoingWebhook.objects.get(pk=other).secret
        refused = rotate(program, other)
        assert (refused.status_code, code_of(refused)) == (403, "not_yours")
        with all_tenants():
            assert OutgoingWebhook.objects.get(pk=other).secret == before
    assert rotate(program, webhook["id"]).json()["secret"] != webhook["secret"]
    assert {rotate(manager_api, each).status_code for each in (mine["id"], webhook["id"])} == {200}


def test_manager_who_switches_it_on_has_it_from_then_on(webhook, token, manager_api):
    revoke(token, manager_api)
    shown = manager_api.patch(f"{URL}/{webhook['id']}", {"is_active": True}).json()
    assert (shown["is_active"], shown["disabled_reason"], shown["api_token"]) == (True, "", None)
    remove_expired()
    assert row_of(webhook).is_active

"""Secrets whose key is no longer among SECRETS_KEYS: what goes on, what people see, and how they replace them."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.urls import reverse

from crm.db.tenancy import all_tenants, tenant
from messaging.models import ProviderAccount, WebhookEvent, WebhookSecret
from messaging.providers.errors import LineSuspended
from messaging.providers.registry import client_for_account
from tests.factories import PhoneLineFactory, ProviderAccountFactory, WebhookSecretFactory
from tests.messaging.payloads import SECRET, message_v4, post_event

pytestmark = pytest.mark.django_db
OTHER_SECRET = "T3RoZXJTZWNyZXRPZlRoZVNhbWVDb21wYW55MTIzNDU="


@pytest.fixture
def lose_key(settings):
    def lose_key():
        settings.SECRETS_KEYS = [Fernet.generate_key().decode()]

    return lose_key


def stored_events():
    with all_tenants():
        return WebhookEvent.objects.count()


def test_event_that_only_a_lost_secret_verifies_is_a_json_503(client, acme, lose_key, caplog):
    WebhookSecretFactory(company=acme, secret=SECRET)
    lose_key()
    response = post_event(client, message_v4())
    assert (response.status_code, response["Content-Type"]) == (503, "application/json")
    assert response.json()["status"] == "refused"
    assert int(response["Retry-After"]) > 0
    assert stored_events() == 0
    [record] = [record for record in caplog.records if record.name == "messaging.webhooks.views"]
    assert record.levelname == "ERROR"
    assert f"company {acme.pk}" in record.getMessage()
    assert "SECRETS_KEYS" in record.getMessage()


def test_lost_secret_does_not_stop_the_others(client, acme, lose_key):
    WebhookSecretFactory(company=acme, secret=OTHER_SECRET)
    lose_key()
    WebhookSecretFactory(company=acme, secret=SECRET)
    assert post_event(client, message_v4()).status_code == 200
    assert stored_events() == 1


def test_wrong_signature_is_a_401_while_every_secret_is_readable(client, acme):
    WebhookSecretFactory(company=acme, secret=OTHER_SECRET)
    assert post_event(client, message_v4()).status_code == 401


def test_unforeseen_error_on_a_webhook_is_a_json_500(client, acme, monkeypatch):
    monkeypatch.setattr("messaging.webhooks.views.accept_webhook", lambda **_: 1 / 0)
    WebhookSecretFactory(company=acme, secret=SECRET)
    client.raise_request_exception = False
    response = post_event(client, message_v4())
    assert (response.status_code, response.json()["errors"][0]["code"]) == (500, "error")


def test_lost_webhook_secret_is_listed_and_removed(acme, lose_key, capsys):
    WebhookSecretFactory(company=acme, secret=SECRET)
    lose_key()
    call_command("webhook_secret", "acme", "openphone")
    assert "1. set on" in (listed := capsys.readouterr().out)
    assert "can't be decrypted" in listed
    call_command("webhook_secret", "acme", "openphone", "--remove", "1")
    with tenant(acme.pk):
        assert not WebhookSecret.objects.exists()


def test_text_with_a_lost_api_key_waits_and_says_why(acme, lose_key):
    line = PhoneLineFactory(company=acme)
    ProviderAccountFactory(company=acme, provider=line.provider, api_key="a-key")
    lose_key()
    with pytest.raises(LineSuspended, match="can't be decrypted; set it again"):
        client_for_account(line=line)


def test_lost_api_key_is_replaced_by_the_command(acme, lose_key, capsys, monkeypatch):
    ProviderAccountFactory(company=acme, provider="openphone", api_key="lost")
    lose_key()
    monkeypatch.setattr("sys.stdin", io.StringIO("new"))
    call_command("provider_account", "acme", "openphone")
    call_command("provider_account", "acme", "openphone", "--set-key", "-")
    assert capsys.readouterr().out.count("its key is set") == 2
    with tenant(acme.pk):
        assert ProviderAccount.objects.get().api_key == "new"


def test_lost_api_key_is_replaced_in_the_admin(acme, lose_key, admin_client):
    account = ProviderAccountFactory(company=acme, provider="twilio", account_id="AC1", api_key="lost")
    lose_key()
    assert admin_client.get(reverse("admin:messaging_provideraccount_changelist")).status_code == 200
    url = reverse("admin:messaging_provideraccount_change", args=[account.pk])
    assert admin_client.get(url).status_code == 200
    response = admin_client.post(url, {"company": acme.pk, "account_id": "AC1", "api_key": "new"})
    assert response.status_code == 302
    with tenant(acme.pk):
        assert ProviderAccount.objects.get().api_key == "new"


def test_lost_webhook_secret_is_deleted_in_the_admin(acme, lose_key, admin_client):
    secret = WebhookSecretFactory(company=acme, secret=SECRET)
    lose_key()
    assert admin_client.get(reverse("admin:messaging_webhooksecret_changelist")).status_code == 200
    assert admin_client.get(reverse("admin:messaging_webhooksecret_change", args=[secret.pk])).status_code == 200
    url = reverse("admin:messaging_webhooksecret_delete", args=[secret.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    with tenant(acme.pk):
        assert not WebhookSecret.objects.exists()

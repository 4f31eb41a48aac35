"""Fixtures: Acme's webhook secret, its named phone line, and the providers' APIs on loopback."""

import pytest

from messaging.providers.registry import PROVIDERS
from messaging.services.inbound import webhook_processing
from messaging.services.outbound import call_times
from tests.factories import PhoneLineFactory, WebhookSecretFactory
from tests.messaging.payloads import OUR_NUMBER
from tests.provider_server import ProviderServer


@pytest.fixture(autouse=True)
def unknown_call_times(monkeypatch):
    """Forget the call times of other tests, which have another provider, and how fast their events were processed."""
    monkeypatch.setattr(call_times, "_recent_s", {})
    monkeypatch.setattr(webhook_processing, "_limit", webhook_processing.BATCH)


@pytest.fixture
def secret(acme):
    return WebhookSecretFactory(company=acme)


@pytest.fixture
def desk(acme):
    return PhoneLineFactory(company=acme, name="Front desk", number=OUR_NUMBER, provider_id="PNdesk")


@pytest.fixture
def provider_server(settings, monkeypatch):
    """The providers' APIs on loopback with the line of `desk`. Messages are sent through the companies' accounts."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ProviderServer() as server:
        server.openphone.add_line("PNdesk", OUR_NUMBER)
        settings.SMS_BACKEND = "provider"
        settings.PROVIDER_API_URLS = dict.fromkeys(PROVIDERS, server.url)
        yield server

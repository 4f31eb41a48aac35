"""API responses, admin pages and audit entries contain no secret."""

import pytest
from django.contrib import admin
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import AuditEntry
from messaging.models import WebhookSecret
from tests.api.resources import RESOURCES
from tests.conftest import signed_in
from tests.factories import ProviderAccountFactory, WebhookSecretFactory
from tests.messaging.payloads import message_2026, message_v4, post_event

pytestmark = pytest.mark.django_db
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
API_KEY = "api-key-of-acme"


@pytest.fixture
def secret(acme, client, manager, staff):
    """A webhook secret with signed webhook events, and a provider account."""
    ProviderAccountFactory(company=acme, api_key=API_KEY)
    row = WebhookSecretFactory(company=acme, secret=SECRET)
    for payload in (message_v4(), message_2026()):
        assert post_event(client, payload, secret=SECRET).status_code == 200
    return row


def forbidden(row):
    with all_tenants():
        stored = WebhookSecret.objects.values_list("secret_fingerprint").get(pk=row.pk)[0]
    return [SECRET, SECRET.removeprefix("whsec_"), API_KEY, stored, "gAAAA"]  # the beginning of every ciphertext


def urls_of(model_admin):
    name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    yield reverse(f"{name}_changelist")
    for row in model_admin.model._base_manager.all()[:5]:
        for view in ("change", "history", "delete"):
            yield reverse(f"{name}_{view}", args=[row.pk])


def test_api_responses_contain_no_secret(secret, manager, staff):
    paths = [resource.url for resource in RESOURCES] + ["/api/v1/me", "/api/schema", "/api/v1/"]
    answered = 0
    for api in (signed_in(manager), signed_in(staff)):
        for path in paths:
            answer = api.get(path)
            answered += answer.status_code == 200
            assert not [text for text in forbidden(secret) if text in answer.content.decode()], path
    assert answered > len(RESOURCES)


@pytest.mark.slow
def test_admin_pages_contain_no_secret(secret, client, staff):
    client.force_login(staff)
    urls = [reverse("admin:index")]
    with all_tenants():
        for model_admin in admin.site._registry.values():
            urls += urls_of(model_admin)
    for url in urls:
        html = client.get(url, follow=True).content.decode()
        assert not [text for text in forbidden(secret) if text in html], url
    assert len(urls) > 20


def test_audit_entries_contain_no_secret_or_password_hash(secret, manager):
    with all_tenants():
        entries = str(list(AuditEntry.objects.values()))
    assert manager.username in entries
    assert not [text for text in [*forbidden(secret), manager.password] if text in entries]

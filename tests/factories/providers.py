"""Factories of webhook events, accounts of providers, and rows about the installation."""

import factory
from django.utils.timezone import now

from crm.models import KeyFingerprint, SavedView, WorkerHeartbeat
from messaging.models import ProviderAccount, ProviderHealth, WebhookEvent, WebhookSecret
from tests.factories.people import OfCompanyFactory, RowFactory, UserFactory


class ProviderHealthFactory(RowFactory):
    class Meta:
        model = ProviderHealth
        django_get_or_create = ("provider",)

    provider = "openphone"


class WorkerHeartbeatFactory(RowFactory):
    class Meta:
        model = WorkerHeartbeat

    host = "crm-1"
    pid = factory.Sequence(lambda n: n + 1)
    version = "1"
    jobs = factory.LazyFunction(lambda: ["deliveries", "texts"])
    seen_at = factory.LazyFunction(now)


class SavedViewFactory(RowFactory):
    class Meta:
        model = SavedView

    user = factory.SubFactory(UserFactory, company=None, role="", is_staff=True)
    list = "crm.contact"
    name = factory.Sequence(lambda n: f"View {n}")
    query = "created_at=today"


class ProviderAccountFactory(OfCompanyFactory):
    class Meta:
        model = ProviderAccount

    provider = "openphone"
    api_key = "test-key-1"


class WebhookEventFactory(OfCompanyFactory):
    class Meta:
        model = WebhookEvent

    provider = "openphone"
    event_id = factory.Sequence(lambda n: f"EVtest{n}")
    event_type = "message.received"
    body = b"{}"


class WebhookSecretFactory(OfCompanyFactory):
    class Meta:
        model = WebhookSecret

    provider = "openphone"
    secret = "R2ZLM2o0bFhBNVpyUnU2NG9mYXQ1MHNyR3pvSUhIVVg="


class KeyFingerprintFactory(RowFactory):
    class Meta:
        model = KeyFingerprint

    name = factory.Sequence(lambda n: f"KEY_{n}")
    fingerprint = "0" * 64

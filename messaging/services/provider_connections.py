"""Connections of the active company to providers: where events arrive, whether they can be verified, and the lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Subquery

from crm.choices import Provider
from crm.encryption import SecretUnreadable, decrypt
from crm.fields import as_stored
from crm.models import Company, PhoneLine
from messaging.models import ProviderAccount, WebhookEvent, WebhookSecret
from messaging.providers.registry import PROVIDERS
from messaging.services.webhook_secrets import webhook_url

SHORTEST_SHOWN_KEY = 16  # characters; the end of a shorter key would be too much of it
ENDING = 4


@dataclass(frozen=True)
class Connection:
    """A company's set-up at one provider, without secrets and keys."""

    provider: Provider
    webhook_url: str
    secrets: Sequence[WebhookSecret]
    has_account_key: bool
    account_key_ending: str
    account_id: str
    last_event_at: datetime | None
    lines: Sequence[PhoneLine]

    @property
    def name(self) -> str:
        return str(self.provider.label)

    @property
    def has_secret(self) -> bool:
        return bool(self.secrets)

    @property
    def secret_name(self) -> str:
        return PROVIDERS[self.provider].signature.SECRET_NAME

    @property
    def key_name(self) -> str:
        return PROVIDERS[self.provider].key_name

    @property
    def account_id_name(self) -> str:
        return PROVIDERS[self.provider].account_id_name


def read_connections(company: Company) -> list[Connection]:
    """Return the connection to each provider, those with phone lines first."""
    accounts = {
        row["provider"]: row
        for row in ProviderAccount.objects.annotate(stored=as_stored("api_key")).values(
            "provider", "account_id", "stored"
        )
    }
    secrets = list(WebhookSecret.objects.defer("secret").order_by("created_at", "pk"))
    lines = list(PhoneLine.objects.order_by("name", "number", "pk"))
    last_events = _read_last_events(company)
    connections = [
        Connection(
            provider=provider,
            webhook_url=webhook_url(company, provider),
            secrets=[secret for secret in secrets if secret.provider == provider],
            has_account_key=provider in accounts,
            account_key_ending=_ending_of(accounts[provider]["stored"]) if provider in accounts else "",
            account_id=accounts[provider]["account_id"] if provider in accounts else "",
            last_event_at=last_events[provider],
            lines=[line for line in lines if line.provider == provider],
        )
        for provider in Provider
    ]
    return sorted(connections, key=lambda connection: not connection.lines)


def read_connection(company: Company, provider: Provider) -> Connection:
    return next(each for each in read_connections(company) if each.provider == provider)


def _read_last_events(company: Company) -> dict[str, datetime | None]:
    """Return the time of each provider's last webhook event."""
    events = WebhookEvent.objects.order_by("-created_at").values("created_at")
    last: dict[str, Any] = {provider.value: Subquery(events.filter(provider=provider)[:1]) for provider in Provider}
    rows: Any = Company.objects.filter(pk=company.pk).values(**last)
    return dict(rows.get())


def _ending_of(stored: str) -> str:
    """Return the last characters of a stored key, by which a person tells it from another."""
    try:
        key = decrypt(stored)
    except SecretUnreadable:
        return ""
    return key[-ENDING:] if len(key) >= SHORTEST_SHOWN_KEY else ""

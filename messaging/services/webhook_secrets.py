"""Signing secrets and URLs of webhooks."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from crm.choices import Provider
from crm.db.tenancy import current_company_id
from crm.encryption import SecretUnreadable, decrypt
from crm.fields import as_stored
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.registry import PROVIDERS


class SecretNotAdded(ValueError):
    """The secret exists already, is too long, or can be made by the provider only."""


def add_webhook_secret(*, provider: Provider, secret: str) -> WebhookSecret:
    """Add a signing secret of the active company. Its other secrets stay valid.

    Raises:
        InvalidSecret: the text can't be a secret of this provider.
        SecretNotAdded: the secret exists already, or is too long.
    """
    PROVIDERS[provider].signature.check_secret(secret)
    row = WebhookSecret(company_id=current_company_id(), provider=provider, secret=secret)
    try:
        row.full_clean()
    except ValidationError as error:
        raise SecretNotAdded(" ".join(error.messages)) from error
    row.save()
    return row


def generate_webhook_secret(*, provider: Provider) -> WebhookSecret:
    """Add a generated secret. Raises SecretNotAdded if only the provider can make one."""
    signature = PROVIDERS[provider].signature
    secret = signature.generate_secret()
    if not secret:
        raise SecretNotAdded(
            f"{provider.label} signs with {signature.SECRET_NAME}, which can't be generated; use --add."
        )
    return add_webhook_secret(provider=provider, secret=secret)


def remove_webhook_secret(*, provider: Provider, pk: int) -> bool:
    """Remove a secret of the active company. Returns False if the provider has no such secret."""
    return bool(WebhookSecret.objects.filter(provider=provider, pk=pk).delete()[0])


def read_webhook_secrets(*, provider: Provider) -> tuple[list[str], int]:
    """Return the active company's secrets, and the number of those that can't be decrypted."""
    stored = WebhookSecret.objects.filter(provider=provider).annotate(stored=as_stored("secret"))
    secrets, unreadable = [], 0
    for token in stored.values_list("stored", flat=True):
        try:
            secrets.append(decrypt(token))
        except SecretUnreadable:
            unreadable += 1
    return secrets, unreadable


def webhook_path(company: Company, provider: Provider) -> str:
    return reverse("webhook", args=[provider.value, company.slug])


def webhook_url(company: Company, provider: Provider) -> str:
    """Return the public URL of the company's webhook."""
    return settings.PUBLIC_URL + webhook_path(company, provider)

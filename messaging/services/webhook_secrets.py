"""The secrets that providers sign their deliveries with, and where they deliver to."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from crm.choices import Provider
from crm.db.tenancy import current_company_id
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.webhook_adapters import ADAPTERS


class SecretRefused(ValueError):
    """The company has this secret already, it is longer than any, or only the provider can make one."""


def add_webhook_secret(*, provider: Provider, secret: str) -> WebhookSecret:
    """One more secret that proves deliveries to the company entered; those it has stay valid.

    Raises:
        InvalidSecret: it is none of this provider's.
        SecretRefused: it is there already, or too long.
    """
    ADAPTERS[provider].check_secret(secret)
    row = WebhookSecret(company_id=current_company_id(), provider=provider, secret=secret)
    try:
        row.full_clean()
    except ValidationError as error:
        raise SecretRefused(" ".join(error.messages)) from error
    row.save()
    return row


def generate_webhook_secret(*, provider: Provider) -> WebhookSecret:
    """A new secret of our own making, in the provider's form. Raises SecretRefused if only the provider makes them."""
    secret = ADAPTERS[provider].generate_secret()
    if not secret:
        raise SecretRefused(
            f"{provider.label} signs with {ADAPTERS[provider].SECRET}, which nobody else can make: --add that one."
        )
    return add_webhook_secret(provider=provider, secret=secret)


def webhook_path(company: Company, provider: Provider) -> str:
    """Where a provider's deliveries to a company come in."""
    return reverse("webhook", args=[provider.value, company.slug])


def webhook_url(company: Company, provider: Provider) -> str:
    """The same, as the outside world reaches us."""
    return settings.PUBLIC_URL + webhook_path(company, provider)

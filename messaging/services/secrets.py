"""The secrets that providers sign their deliveries with, and where they deliver to."""

import base64
import secrets

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from crm.choices import Provider
from crm.db.tenancy import current_company_id
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.signatures import PREFIX, key_of


class SecretRefused(ValueError):
    """The company has this secret already, or it is longer than any."""


def add_webhook_secret(*, provider: Provider, secret: str) -> WebhookSecret:
    """One more secret that proves deliveries to the company entered; those it has stay valid.

    Raises:
        InvalidSecret: it is no base64.
        SecretRefused: it is there already, or too long.
    """
    key_of(secret)
    row = WebhookSecret(company_id=current_company_id(), provider=provider, secret=secret)
    try:
        row.full_clean()
    except ValidationError as error:
        raise SecretRefused(" ".join(error.messages)) from error
    row.save()
    return row


def generate_webhook_secret(*, provider: Provider) -> WebhookSecret:
    """A new secret of our own making, in the form of the provider's current generation."""
    return add_webhook_secret(provider=provider, secret=PREFIX + base64.b64encode(secrets.token_bytes(32)).decode())


def webhook_path(company: Company) -> str:
    """Where OpenPhone's deliveries to a company come in."""
    return reverse("openphone-webhook", args=[company.slug])


def webhook_url(company: Company) -> str:
    """The same, as the outside world reaches us."""
    return settings.PUBLIC_URL + webhook_path(company)

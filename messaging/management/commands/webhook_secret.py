"""`manage.py webhook_secret`: what a person needs to connect a provider's webhooks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.openphone.signature import PREFIX
from messaging.providers.signatures import InvalidSecret
from messaging.providers.webhook_adapters import ADAPTERS
from messaging.services.webhook_secrets import SecretRefused, add_webhook_secret, generate_webhook_secret, webhook_url


class Command(BaseCommand):
    help = "Show the webhook URL to give a provider and which secrets are set (never their text); add or remove one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of the company")
        parser.add_argument("provider", choices=Provider.values)
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--add", metavar="SECRET", help="the provider's; several are valid at once")
        change.add_argument("--generate", action="store_true", help="make one and print it, this once")
        change.add_argument("--remove", metavar="N", type=int, help="the one with this number in the list")

    def handle(self, *, slug: str, provider: str, **options: Any) -> None:
        company = Company.objects.filter(slug=slug).first()
        if company is None:
            raise CommandError(f"There is no company {slug!r}.")
        with tenant(company.pk):
            self._change(Provider(provider), **options)
            self._show(company, Provider(provider))

    def _change(self, provider: Provider, *, add: str | None, generate: bool, remove: int | None, **_: Any) -> None:
        if add is not None:
            try:
                add_webhook_secret(provider=provider, secret=add.strip())
            except (InvalidSecret, SecretRefused) as error:
                raise CommandError(f"--add: {error}") from error
        elif generate:
            try:
                secret = generate_webhook_secret(provider=provider).secret
            except SecretRefused as error:
                raise CommandError(f"--generate: {error}") from error
            self.stdout.write(f"The new secret, which is not shown again:\n  {secret}")
        elif remove is not None:
            rows = self._secrets(provider)
            if not 1 <= remove <= len(rows):
                raise CommandError(f"--remove: {remove} is not in the list, which has {len(rows)}.")
            rows[remove - 1].delete()

    def _show(self, company: Company, provider: Provider) -> None:
        self.stdout.write(f"{provider.label} delivers to {company} at\n  {webhook_url(company, provider)}")
        rows = self._secrets(provider)
        self.stdout.write(
            "Secrets:"
            if rows
            else f"No secret is set, so every delivery is refused: --add SECRET, {ADAPTERS[provider].SECRET}"
        )
        for number, row in enumerate(rows, start=1):
            kind = ""
            if provider == Provider.OPENPHONE:
                kind = ", current (whsec_)" if row.secret.startswith(PREFIX) else ", legacy (plain base64)"
            self.stdout.write(f"  {number}. set on {row.created_at:%Y-%m-%d}{kind}")

    def _secrets(self, provider: Provider) -> list[WebhookSecret]:
        return list(WebhookSecret.objects.filter(provider=provider).order_by("created_at", "id"))

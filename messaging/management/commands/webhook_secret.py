"""`manage.py webhook_secret`: webhook URL and signing secrets of a company."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.encryption import SecretUnreadable
from crm.management.companies import read_company
from crm.management.secret_input import STANDARD_INPUT, read_secret
from crm.models import Company
from messaging.models import WebhookSecret
from messaging.providers.errors import InvalidSecret
from messaging.providers.registry import PROVIDERS
from messaging.services.webhook_secrets import (
    SecretNotAdded,
    add_webhook_secret,
    generate_webhook_secret,
    webhook_url,
)


class Command(BaseCommand):
    help = "Show a company's webhook URL and which secrets are set (never their text); add, generate or remove one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="slug of the company")
        parser.add_argument("provider", choices=Provider.values, help="name of the provider")
        change = parser.add_mutually_exclusive_group()
        change.add_argument(
            "--add",
            metavar="SECRET",
            help="add the provider's secret, with - the one on standard input; several are valid at the same time",
        )
        change.add_argument("--from-file", type=Path, metavar="FILE", help="add the secret from this file")
        change.add_argument("--generate", action="store_true", help="generate a secret and print it once")
        change.add_argument("--remove", metavar="N", type=int, help="remove the secret with this number in the list")

    def handle(self, *, slug: str, provider: str, **options: Any) -> None:
        company = read_company(slug)
        with tenant(company.pk):
            self._change(Provider(provider), **options)
            self._show(company, Provider(provider))

    def _change(
        self,
        provider: Provider,
        *,
        add: str | None,
        from_file: Path | None,
        generate: bool,
        remove: int | None,
        **_: Any,
    ) -> None:
        if add is not None or from_file is not None:
            if from_file is None and add != STANDARD_INPUT:
                self.stderr.write(
                    "Warning: every user of this machine can read the arguments of commands. Use --add -, with the"
                    " secret on standard input, or --from-file FILE."
                )
                secret = str(add).strip()
            else:
                secret = read_secret(from_file=from_file)
            try:
                add_webhook_secret(provider=provider, secret=secret)
            except (InvalidSecret, SecretNotAdded) as error:
                raise CommandError(f"{'--from-file' if from_file else '--add'}: {error}") from error
        elif generate:
            try:
                secret = generate_webhook_secret(provider=provider).secret
            except SecretNotAdded as error:
                raise CommandError(f"--generate: {error}") from error
            self.stdout.write(f"New secret, which isn't shown again:\n  {secret}")
        elif remove is not None:
            rows = self._secrets(provider)
            if not 1 <= remove <= len(rows):
                raise CommandError(f"--remove: {remove} must be a number from the list, which has {len(rows)} secrets.")
            rows[remove - 1].delete()

    def _show(self, company: Company, provider: Provider) -> None:
        self.stdout.write(f"Webhook URL of {company} for {provider.label}:\n  {webhook_url(company, provider)}")
        rows, spec = self._secrets(provider), PROVIDERS[provider]
        self.stdout.write(
            "Secrets:"
            if rows
            else f"No secret is set, so all requests are refused. Add {spec.signature.SECRET_NAME} with --add -."
        )
        for number, row in enumerate(rows, start=1):
            try:
                description = spec.describe_secret(row.secret)
            except SecretUnreadable:
                description = "can't be decrypted: remove it, or add its key to SECRETS_KEYS"
            parts = [f"set on {row.created_at:%Y-%m-%d}", description]
            self.stdout.write(f"  {number}. {', '.join(filter(None, parts))}")

    def _secrets(self, provider: Provider) -> list[WebhookSecret]:
        return list(WebhookSecret.objects.filter(provider=provider).defer("secret").order_by("created_at", "id"))

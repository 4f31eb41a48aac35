"""`manage.py provider_account`: a company's account at a provider."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.management.companies import read_company
from crm.management.secret_input import STANDARD_INPUT, read_secret
from crm.models import Company
from messaging.models import ProviderAccount
from messaging.providers.registry import ACCOUNT_ID_HELP, KEY_HELP
from messaging.services.provider_accounts import InvalidAccount, set_provider_account


class Command(BaseCommand):
    help = "Show a company's account at a provider (never its key), set it, or remove it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="slug of the company")
        parser.add_argument("provider", choices=Provider.values, help="name of the provider")
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--set-key", metavar="-", help=f"store the key from standard input. {KEY_HELP}")
        change.add_argument("--from-file", type=Path, metavar="FILE", help="store the key from this file")
        change.add_argument(
            "--remove", action="store_true", help="remove the account; its phone lines can't send any more"
        )
        parser.add_argument(
            "--account-id",
            metavar="ID",
            help=f"ID of the account, with a key. {ACCOUNT_ID_HELP} (default: the current ID)",
        )

    def handle(self, *, slug: str, provider: str, **options: Any) -> None:
        company = read_company(slug)
        with tenant(company.pk):
            self._change(Provider(provider), **options)
            self._show(company, Provider(provider))

    def _change(
        self,
        provider: Provider,
        *,
        set_key: str | None,
        from_file: Path | None,
        account_id: str | None,
        remove: bool,
        **_: Any,
    ) -> None:
        if set_key not in (None, STANDARD_INPUT):
            raise CommandError(
                "--set-key must be -, with the key on standard input, or use --from-file FILE. Every user of this"
                " machine can read the arguments of commands: replace the key that you have just given."
            )
        if set_key is not None or from_file is not None:
            try:
                set_provider_account(provider=provider, api_key=read_secret(from_file=from_file), account_id=account_id)
            except InvalidAccount as error:
                raise CommandError(f"{'--from-file' if from_file else '--set-key'}: {error}") from error
        elif account_id is not None:
            raise CommandError("--account-id requires --set-key - or --from-file FILE.")
        elif remove:
            ProviderAccount.objects.filter(provider=provider).delete()

    def _show(self, company: Company, provider: Provider) -> None:
        account = ProviderAccount.objects.defer("api_key").filter(provider=provider).first()
        if account is None:
            self.stdout.write(f"{company} has no account with {provider.label}; add one with --set-key -.")
            return
        name = f" {account.account_id}" if account.account_id else ""
        self.stdout.write(f"{company} has an account{name} with {provider.label}; its key is set.")

"""`manage.py provider_account`: the account that a company's texts leave through."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.models import Company
from messaging.models import ProviderAccount
from messaging.services.provider_accounts import AccountRefused, set_provider_account


class Command(BaseCommand):
    help = "Show whether a company has an account with a provider (never its key); set it, or remove it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="of the company")
        parser.add_argument("provider", choices=Provider.values)
        change = parser.add_mutually_exclusive_group()
        change.add_argument("--set-key", metavar="KEY", help="the provider's API key; Twilio's auth token")
        change.add_argument("--remove", action="store_true", help="nothing leaves through it any more")
        parser.add_argument("--account-id", metavar="ID", help="Twilio's account SID, CallRail's account id")

    def handle(self, *, slug: str, provider: str, **options: Any) -> None:
        company = Company.objects.filter(slug=slug).first()
        if company is None:
            raise CommandError(f"There is no company {slug!r}.")
        with tenant(company.pk):
            self._change(Provider(provider), **options)
            self._show(company, Provider(provider))

    def _change(
        self, provider: Provider, *, set_key: str | None, account_id: str | None, remove: bool, **_: Any
    ) -> None:
        if account_id is not None and set_key is None:
            raise CommandError("--account-id: give the account's key as well, --set-key KEY.")
        if set_key is not None:
            try:
                set_provider_account(provider=provider, api_key=set_key.strip(), account_id=account_id)
            except AccountRefused as error:
                raise CommandError(f"--set-key: {error}") from error
        elif remove:
            ProviderAccount.objects.filter(provider=provider).delete()

    def _show(self, company: Company, provider: Provider) -> None:
        account = ProviderAccount.objects.filter(provider=provider).first()
        if account is None:
            self.stdout.write(f"{company} has no account with {provider.label}: --set-key KEY")
            return
        name = f" {account.account_id}" if account.account_id else ""
        self.stdout.write(f"{company} has the account{name} with {provider.label}; its key is set.")

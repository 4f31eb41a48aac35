"""Accounts of the active company at its providers."""

from django.core.exceptions import ValidationError
from django.db import transaction

from crm.choices import Provider
from crm.db.tenancy import current_company_id
from messaging.models import ProviderAccount


class InvalidAccount(ValueError):
    """The account id is missing, or the key is invalid."""


def set_provider_account(*, provider: Provider, api_key: str, account_id: str | None = None) -> ProviderAccount:
    """Create the company's account with this provider, or replace its key.

    Args:
        account_id: None keeps the present id.

    Raises:
        InvalidAccount: the provider's accounts need an id, or the key is invalid.
    """
    with transaction.atomic():
        accounts = ProviderAccount.objects.defer("api_key")  # its encryption key may be lost
        account = accounts.select_for_update().filter(provider=provider).first()
        account = account or ProviderAccount(company_id=current_company_id(), provider=provider)
        account.api_key = api_key
        if account_id is not None:
            account.account_id = account_id
        try:
            account.full_clean()
        except ValidationError as error:
            raise InvalidAccount(" ".join(error.messages)) from error
        account.save()
    return account

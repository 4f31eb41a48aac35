"""What a company signs in to its providers with."""

from django.core.exceptions import ValidationError
from django.db import transaction

from crm.choices import Provider
from crm.db.tenancy import current_company_id
from messaging.models import ProviderAccount


class AccountRefused(ValueError):
    """It lacks its id, or the key is none."""


def set_provider_account(*, provider: Provider, api_key: str, account_id: str | None = None) -> ProviderAccount:
    """The account of the company entered with this provider, with this key from now on.

    Args:
        account_id: None keeps the one that is set.

    Raises:
        AccountRefused: the provider needs an id and there is none, or the key can't be one.
    """
    with transaction.atomic():
        account = ProviderAccount.objects.select_for_update().filter(provider=provider).first()
        account = account or ProviderAccount(company_id=current_company_id(), provider=provider)
        account.api_key = api_key
        if account_id is not None:
            account.account_id = account_id
        try:
            account.full_clean()
        except ValidationError as error:
            raise AccountRefused(" ".join(error.messages)) from error
        account.save()
    return account

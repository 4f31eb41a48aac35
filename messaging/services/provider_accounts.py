"""Accounts of the active company at its providers."""

from django.core.exceptions import ValidationError
from django.db import transaction

from crm.choices import Provider
from crm.db.tenancy import current_company_id
from messaging.models import ProviderAccount


class InvalidAccount(ValueError):
    """The account id or the key is missing, or invalid: that of `field`."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def set_provider_account(
    *, provider: Provider, api_key: str | None = None, account_id: str | None = None
) -> ProviderAccount:
    """Create the company's account with this provider, or replace its key or id.

    Args:
        api_key: None keeps the present key.
        account_id: None keeps the present id.

    Raises:
        InvalidAccount: the provider's accounts need an id, or the key is missing or invalid.
    """
    with transaction.atomic():
        accounts = ProviderAccount.objects.defer("api_key")  # its encryption key may be lost
        account = accounts.select_for_update().filter(provider=provider).first()
        if account is None and api_key is None:
            raise InvalidAccount("api_key", "The key is missing.")
        account = account or ProviderAccount(company_id=current_company_id(), provider=provider)
        given = {"api_key": api_key, "account_id": account_id}
        changed = [name for name, value in given.items() if value is not None]
        for name in changed:
            setattr(account, name, given[name])
        try:
            account.full_clean(exclude={"api_key"} - {*changed})
        except ValidationError as error:
            field = "api_key" if "api_key" in error.message_dict else "account_id"
            raise InvalidAccount(field, " ".join(error.messages)) from error
        account.save(update_fields=changed if account.pk else None)
    return account

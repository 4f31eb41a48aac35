"""Registry of all providers. CONTRIBUTING.md has the recipe for a new one."""

from collections.abc import Mapping

from django.conf import settings

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.encryption import SecretUnreadable
from crm.models import PhoneLine
from messaging.models import ProviderAccount
from messaging.opt_out_text.normalize import normalize
from messaging.providers.callrail import spec as callrail
from messaging.providers.console.client import ConsoleClient
from messaging.providers.errors import LineSuspended
from messaging.providers.http import in_an_hour
from messaging.providers.interfaces import SMSClient
from messaging.providers.openphone import spec as openphone
from messaging.providers.spec import ProviderSpec
from messaging.providers.twilio import spec as twilio

PROVIDERS: dict[str, ProviderSpec] = {
    Provider.OPENPHONE: openphone.SPEC,
    Provider.CALLRAIL: callrail.SPEC,
    Provider.TWILIO: twilio.SPEC,
}
ACCOUNT_ID_HELP = ", ".join(
    f"{Provider(name).label}: {spec.account_id_name}" for name, spec in PROVIDERS.items() if spec.account_id_name
)
KEY_HELP = ", ".join(f"{Provider(name).label}: {spec.key_name}" for name, spec in PROVIDERS.items())


def provider_of_payload(content: Mapping[str, object]) -> Provider:
    """Return the provider that a recorded request comes from: OpenPhone unless its fields say otherwise."""
    found = (name for name, spec in PROVIDERS.items() if spec.payload_fields & content.keys())
    return Provider(next(found, Provider.OPENPHONE))


def provider_confirms(provider: str, body: str) -> bool:
    """Return whether the provider itself confirms this opt-out or opt-in, so that a second reply must not be sent."""
    return normalize(body) in PROVIDERS[provider].confirmed_keywords


def client_for_sending(*, line: PhoneLine) -> SMSClient:
    """Return the client for the line's messages: the console in development, else the company's account.

    Raises:
        LineSuspended: the company has no account with the line's provider.
    """
    if settings.SMS_BACKEND == "console":
        return ConsoleClient(company_id=line.company_id)
    return client_for_account(line=line)


def client_for_account(*, line: PhoneLine) -> SMSClient:
    """Return a client for the company's account with the line's provider, in development, too.

    Raises:
        LineSuspended: the company has no such account, or its key can't be decrypted.
    """
    try:
        with tenant(line.company_id):
            account = ProviderAccount.objects.filter(provider=line.provider).first()
    except SecretUnreadable as error:
        raise LineSuspended(
            f"The key of the company's {line.get_provider_display()} account can't be decrypted; set it again.",
            until=in_an_hour(),
        ) from error
    if account is None:
        raise LineSuspended(
            f"The company has no account with {line.get_provider_display()}; add one.", until=in_an_hour()
        )
    return PROVIDERS[account.provider].client(account_id=account.account_id, key=account.api_key)

"""The providers' APIs, as we call them: one module a provider, each keeping `messaging.providers.sms_client.Client`."""

from django.conf import settings

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.models import PhoneLine
from messaging.models import ProviderAccount
from messaging.providers.callrail.client import CallRailClient
from messaging.providers.console.client import ConsoleClient
from messaging.providers.http import in_an_hour
from messaging.providers.openphone.client import OpenPhoneClient
from messaging.providers.sms_client import LineSuspended, SMSClient
from messaging.providers.twilio.client import TwilioClient


def client_for_sending(*, line: PhoneLine) -> SMSClient:
    """Through which the line's texts leave: the console in development, else the company's account with its provider.

    Raises:
        LineSuspended: there is no such account.
    """
    if settings.SMS_BACKEND == "console":
        return ConsoleClient(company_id=line.company_id)
    return client_for_account(line=line)


def client_for_account(*, line: PhoneLine) -> SMSClient:
    """The company's account with the line's provider, whatever texts leave through.

    Raises:
        LineSuspended: there is none.
    """
    with tenant(line.company_id):
        account = ProviderAccount.objects.filter(provider=line.provider).first()
    if account is None:
        raise LineSuspended(f"The company has no account with {line.get_provider_display()}.", until=in_an_hour())
    if account.provider == Provider.TWILIO:
        return TwilioClient(account_id=account.account_id, key=account.api_key)
    if account.provider == Provider.CALLRAIL:
        return CallRailClient(account_id=account.account_id, key=account.api_key)
    return OpenPhoneClient(key=account.api_key)

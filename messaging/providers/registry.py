"""Registry of all providers. CONTRIBUTING.md has the recipe for a new one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.encryption import SecretUnreadable
from crm.models import PhoneLine
from messaging.models import ProviderAccount
from messaging.opt_out_text.normalize import normalize, normalized
from messaging.providers.callrail import signature as callrail_signature
from messaging.providers.callrail import webhook as callrail_webhook
from messaging.providers.callrail.client import CallRailClient
from messaging.providers.console.client import ConsoleClient
from messaging.providers.errors import LineSuspended
from messaging.providers.http import in_an_hour
from messaging.providers.interfaces import SignatureScheme, SMSClient, WebhookReader
from messaging.providers.openphone import signature as openphone_signature
from messaging.providers.openphone import webhook as openphone_webhook
from messaging.providers.openphone.client import OpenPhoneClient
from messaging.providers.twilio import signature as twilio_signature
from messaging.providers.twilio import webhook as twilio_webhook
from messaging.providers.twilio.client import TwilioClient


@dataclass(frozen=True, kw_only=True)
class ProviderSpec:
    """A provider's modules, labels and special cases."""

    signature: SignatureScheme
    webhook: WebhookReader
    client: Callable[..., SMSClient]  # called with `account_id=` and `key=`
    account_id_name: str = ""  # "" if accounts have no id; also a constraint of ProviderAccount
    key_name: str = "API key"
    confirmed_keywords: frozenset[str] = frozenset()  # the provider itself confirms these opt-outs and opt-ins
    payload_fields: frozenset[str] = frozenset()  # fields that identify a recorded request
    sends_forms: bool = False
    webhook_reply: str = ""  # XML; "" for the JSON of a WebhookResult
    describe_secret: Callable[[str], str] = lambda _secret: ""


# Confirmed keywords. Quo: support page "Opt-out"; Twilio: "Twilio support for opt-out keywords", with the keywords of
# newer accounts. CallRail documents none.
PROVIDERS: dict[str, ProviderSpec] = {
    Provider.OPENPHONE: ProviderSpec(
        signature=openphone_signature,
        webhook=openphone_webhook,
        client=OpenPhoneClient,
        confirmed_keywords=normalized("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "start", "unstop"),
        describe_secret=openphone_signature.describe_secret,
    ),
    Provider.CALLRAIL: ProviderSpec(
        signature=callrail_signature,
        webhook=callrail_webhook,
        client=CallRailClient,
        account_id_name="account ID",
        payload_fields=frozenset({"tracking_phone_number", "trackingnum", "source_number", "form_data", "form_url"}),
    ),
    Provider.TWILIO: ProviderSpec(
        signature=twilio_signature,
        webhook=twilio_webhook,
        client=TwilioClient,
        account_id_name="account SID",
        key_name="auth token",
        confirmed_keywords=normalized(
            "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop"
        ),
        payload_fields=frozenset({"AccountSid", "MessageSid"}),
        sends_forms=True,
        webhook_reply="<Response/>",  # TwiML: do nothing
    ),
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

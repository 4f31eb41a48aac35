"""OpenPhone (Quo) as the registry knows it."""

from messaging.opt_out_text.normalize import normalized
from messaging.providers.openphone import signature, webhook
from messaging.providers.openphone.client import API_URL, OpenPhoneClient
from messaging.providers.spec import ProviderSpec

SPEC = ProviderSpec(
    signature=signature,
    webhook=webhook,
    client=OpenPhoneClient,
    api_url=API_URL,
    # Quo: support page "Opt-out".
    confirmed_keywords=normalized("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "start", "unstop"),
    describe_secret=signature.describe_secret,
)

"""Twilio as the registry knows it."""

from messaging.opt_out_text.normalize import normalized
from messaging.providers.spec import ProviderSpec
from messaging.providers.twilio import signature, webhook
from messaging.providers.twilio.client import API_URL, TwilioClient, file_headers

SPEC = ProviderSpec(
    signature=signature,
    webhook=webhook,
    client=TwilioClient,
    api_url=API_URL,
    file_headers=file_headers,
    account_id_name="account SID",
    key_name="auth token",
    # Twilio: "Twilio support for opt-out keywords", with the keywords of newer accounts.
    confirmed_keywords=normalized(
        "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "start", "yes", "unstop"
    ),
    payload_fields=frozenset({"AccountSid", "MessageSid"}),
    sends_forms=True,
    sends_files=True,
    webhook_reply="<Response/>",  # TwiML: do nothing
)

"""Specification of a provider: modules, labels and special cases. Each provider's folder has one, in `spec.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from messaging.providers.interfaces import SignatureScheme, SMSClient, WebhookReader


@dataclass(frozen=True, kw_only=True)
class ProviderSpec:
    """A provider's modules, labels and special cases."""

    signature: SignatureScheme
    webhook: WebhookReader
    client: Callable[..., SMSClient]  # called with `account_id=` and `key=`
    api_url: str
    # Headers of requests for files at that URL, from the account's ID and key.
    file_headers: Callable[[str, str], Mapping[str, str]] = lambda _account_id, _key: {}
    account_id_name: str = ""  # "" if accounts have no id; also a constraint of ProviderAccount
    key_name: str = "API key"
    confirmed_keywords: frozenset[str] = frozenset()  # the provider itself confirms these opt-outs and opt-ins
    payload_fields: frozenset[str] = frozenset()  # fields that identify a recorded request
    sends_forms: bool = False
    sends_files: bool = False
    webhook_reply: str = ""  # XML; "" for the JSON of a WebhookResult
    describe_secret: Callable[[str], str] = lambda _secret: ""

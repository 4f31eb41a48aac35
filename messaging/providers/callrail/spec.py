"""CallRail as the registry knows it."""

from messaging.providers.callrail import signature, webhook
from messaging.providers.callrail.client import API_URL, CallRailClient, file_headers
from messaging.providers.spec import ProviderSpec

SPEC = ProviderSpec(
    signature=signature,
    webhook=webhook,
    client=CallRailClient,
    api_url=API_URL,
    file_headers=file_headers,
    account_id_name="account ID",
    payload_fields=frozenset({"tracking_phone_number", "trackingnum", "source_number", "form_data", "form_url"}),
)

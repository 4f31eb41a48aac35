"""Models of messages, webhook events and provider credentials."""

from messaging.models.accounts import ProviderAccount
from messaging.models.messages import Message
from messaging.models.provider_health import ProviderHealth
from messaging.models.reminders import AppointmentReminder
from messaging.models.snippets import Snippet
from messaging.models.webhooks import WebhookEvent, WebhookSecret

__all__ = [
    "AppointmentReminder",
    "Message",
    "ProviderAccount",
    "ProviderHealth",
    "Snippet",
    "WebhookEvent",
    "WebhookSecret",
]

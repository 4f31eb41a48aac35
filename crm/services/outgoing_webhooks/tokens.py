"""Outgoing webhooks of API tokens, which end with their token: docs/decisions/0028-webhooks-end-with-their-token.md."""

from django.utils import timezone

from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants
from crm.models import ApiToken, OutgoingWebhook
from crm.models.outgoing_webhooks import OutgoingWebhookQuerySet
from crm.services.outgoing_webhooks.sending import PROGRAM, disable

REASON = "Its API token, {name}, has ended. Switch it on, and it is yours."


def end_webhooks_of(token: ApiToken) -> None:
    """Switch off the webhooks of a token that is revoked."""
    _switch_off(OutgoingWebhook.objects.filter(api_token=token, is_active=True))


def end_webhooks_of_ended_tokens() -> None:
    """Switch off the webhooks of tokens that have ended. Nothing has been sent to them since, whenever this runs."""
    with all_tenants(), acting_as(None, PROGRAM):
        _switch_off(OutgoingWebhook.objects.of_ended_tokens(timezone.now()))


def _switch_off(webhooks: OutgoingWebhookQuerySet) -> None:
    for webhook in webhooks.select_related("api_token").defer("secret", "old_secret"):  # their keys may be missing
        disable(webhook, reason=REASON.format(name=webhook.api_token.name))

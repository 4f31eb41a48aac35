"""Webhook intake: every verified event is stored first, even an invalid one."""

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.encryption import SecretUnreadable
from crm.models import Company
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.providers.errors import BadSignature, InvalidPayload, UnknownType
from messaging.providers.payloads import ROUTE, replace_unstorable
from messaging.providers.registry import PROVIDERS
from messaging.services.inbound.event_counts import count_ended
from messaging.services.inbound.opt_out_keywords import asks_to_stop
from messaging.services.webhook_secrets import read_webhook_secrets

logger = logging.getLogger(__name__)

PRIVATE_HEADERS = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True)
class WebhookResult:
    """The result of a webhook request.

    The status is accepted (a worker will process it), duplicate (stored before), or stored (not processed, with the
    reason).
    """

    status: str
    reason: str = ""


def accept_webhook(
    *, company: Company, provider: Provider, body: bytes, headers: Mapping[str, str], url: str
) -> WebhookResult:
    """Verify a webhook event and store it unchanged. Duplicates are stored once.

    Args:
        url: the public URL of the request, which some providers sign.

    Raises:
        BadSignature: no secret of the company signed the event; nothing is stored.
        SecretUnreadable: the same, but not every secret could be tried.
    """
    with tenant(company.pk):
        secrets, unreadable = read_webhook_secrets(provider=provider)
        try:
            PROVIDERS[provider].signature.verify_signature(
                headers=headers, body=body, secrets=secrets, url=url, now=time.time()
            )
        except BadSignature as error:
            if not unreadable:
                raise
            raise SecretUnreadable(
                f"{unreadable} of the company's webhook secrets can't be decrypted; add the key that encrypted them to"
                " SECRETS_KEYS, or replace them with manage.py webhook_secret."
            ) from error
        event = _build_event(company, provider, body, {**headers, ROUTE: urlsplit(url).path})
        try:
            with transaction.atomic():
                event.save(force_insert=True)
        except IntegrityError:
            if not WebhookEvent.objects.filter(provider=provider, event_id=event.event_id).exists():
                raise
            return WebhookResult("duplicate")
    if event.status != EventStatus.PENDING:
        count_ended([(provider, event.status, 1)])
    if event.status == EventStatus.DEAD:
        logger.warning("Webhook event %d can't be read: %s", event.pk, event.error)
    return WebhookResult("accepted" if event.status == EventStatus.PENDING else "stored", event.error)


def _build_event(company: Company, provider: Provider, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
    event = WebhookEvent(company=company, provider=provider, body=body)
    event.headers = replace_unstorable(
        {name: value for name, value in headers.items() if name.lower() not in PRIVATE_HEADERS}
    )
    webhook, event_id = PROVIDERS[provider].webhook, ""
    try:
        envelope = webhook.read_envelope(body, headers)
    except InvalidPayload as error:
        event.status, event.error = EventStatus.DEAD, str(error)
    else:
        event_id, event.event_type, event.error = envelope.id, envelope.type, envelope.warning
        if envelope.type not in webhook.EVENT_TYPES:
            event.status, event.processed = EventStatus.IGNORED, True
            event.error = " ".join(filter(None, [str(UnknownType(envelope.type)), envelope.warning]))
    if event.status != EventStatus.PENDING:
        text = webhook.find_incoming_text(body, headers)
        if text is not None and asks_to_stop(text):
            event.status, event.processed = EventStatus.PENDING, False  # the worker keeps the opt-out, and the reason
    event.event_id = event_id or f"sha256:{hashlib.sha256(body).hexdigest()}"
    return event

"""Taking deliveries in: what is signed is stored, whatever it holds, before anything else happens."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from crm.choices import Provider
from crm.db.tenancy import tenant
from crm.models import Company
from messaging.choices import EventStatus
from messaging.models import WebhookEvent, WebhookSecret
from messaging.providers.events import UnknownType, Unreadable
from messaging.providers.payloads import storable
from messaging.providers.webhook_adapters import ADAPTERS

PRIVATE_HEADERS = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True)
class WebhookResult:
    """What became of a delivery: taken (a worker will deal with it), duplicate (stored before), or kept (stored, and
    nothing will be done about it, for this reason)."""

    status: str
    reason: str = ""


def accept_webhook(
    *, company: Company, provider: Provider, body: bytes, headers: Mapping[str, str], url: str
) -> WebhookResult:
    """Check who a delivery is from and store it as it came. A repeated one is stored once.

    Args:
        url: where it was delivered to, as the outside world sees it; some providers sign it.

    Raises:
        BadSignature: it isn't signed with a secret of the company; nothing is stored.
    """
    with tenant(company.pk):
        secrets = list(WebhookSecret.objects.filter(provider=provider).values_list("secret", flat=True))
        ADAPTERS[provider].verify_signature(headers=headers, body=body, secrets=secrets, url=url, now=time.time())
        event = _event_of(company, provider, body, headers)
        try:
            with transaction.atomic():
                event.save(force_insert=True)
        except IntegrityError:
            if not WebhookEvent.objects.filter(provider=provider, event_id=event.event_id).exists():
                raise
            return WebhookResult("duplicate")
    return WebhookResult("taken" if event.status == EventStatus.PENDING else "kept", event.error)


def _event_of(company: Company, provider: Provider, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
    event = WebhookEvent(company=company, provider=provider, body=body)
    event.headers = storable({name: value for name, value in headers.items() if name.lower() not in PRIVATE_HEADERS})
    adapter, event_id = ADAPTERS[provider], ""
    try:
        envelope = adapter.read_envelope(body, headers)
    except Unreadable as error:
        event.status, event.error = EventStatus.DEAD, str(error)
    else:
        event_id, event.event_type, event.error = envelope.id, envelope.type, envelope.remark
        if not adapter.is_handled(envelope.type):
            event.status, event.processed = EventStatus.IGNORED, True
            event.error = " ".join(filter(None, [str(UnknownType(envelope.type)), envelope.remark]))
    event.event_id = event_id or f"sha256:{hashlib.sha256(body).hexdigest()}"
    return event

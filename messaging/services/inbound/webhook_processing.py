"""Working on stored deliveries: by any number of workers, each delivery once."""

import logging
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from calls.services.call_details import record_call_detail
from calls.services.call_ingest import record_call, record_voicemail
from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants, tenant
from crm.services.conversations import ActivityTypeClash
from crm.services.provider_contacts import import_provider_contact
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.providers.events import (
    CallEvent,
    ContactEvent,
    Event,
    MessageEvent,
    NotHandled,
    SummaryEvent,
    TranscriptEvent,
    Unreadable,
    VoicemailEvent,
)
from messaging.providers.payloads import storable
from messaging.providers.webhook_adapters import ADAPTERS
from messaging.services.inbound.messages import record_message

MAX_WAIT_S = 600

logger = logging.getLogger(__name__)


def process_next_event() -> bool:
    """Deal with the oldest delivery that is due, of any company. False if none is.

    What it brings and the mark that it is done are one transaction: a worker killed in the middle has done nothing, and
    its delivery is taken again when the lease is over. That is no failed try; an exception is one. After
    WORKER_MAX_TRIES of them the delivery is dead, and at once if trying again can't help.
    """
    event = claim_event()
    if event is None:
        return False
    try:
        with tenant(event.company_id):
            process_claimed_event(event=event)
    except (Unreadable, ActivityTypeClash) as error:
        _mark_dead(event, error, tries=event.tries)
    except Exception as error:
        if not connection.is_usable():
            raise  # the database went away, which is no fault of the delivery
        _record_failure(event, error)
    return True


def events_are_left() -> bool:
    """Whether any delivery still waits for a worker, or for the end of a lease or a wait."""
    with all_tenants():
        return WebhookEvent.objects.waiting().exists()


def claim_event() -> WebhookEvent | None:
    """The oldest delivery that is due, leased to the caller for WORKER_LEASE_S seconds; None if none is.

    The end of the lease, in `run_at`, is what the caller knows it by: whoever takes the delivery next sets another.
    """
    now = timezone.now()
    with all_tenants(), transaction.atomic():
        due = WebhookEvent.objects.due(now)
        if connection.features.has_select_for_update_skip_locked:  # SQLite has one writer at a time anyway
            due = due.select_for_update(skip_locked=True)
        event = due.first()
        if event is not None:
            event.run_at = now + timedelta(seconds=settings.WORKER_LEASE_S)
            event.save(update_fields=["run_at"])
    return event


def process_claimed_event(*, event: WebhookEvent) -> None:
    """Turn a delivery into rows and mark it done, all or nothing; nothing at all if the claim has gone to another."""
    with transaction.atomic(), acting_as(None, f"{event.provider} delivery"):
        if not _lock_claim(event):
            return
        adapter = ADAPTERS[event.provider]
        envelope = adapter.read_envelope(bytes(event.body), event.headers)
        event.status, event.error = EventStatus.PROCESSED, envelope.remark
        try:
            parsed = adapter.read_event(envelope, received_at=event.created_at)
        except NotHandled as reason:
            event.status, event.error = EventStatus.IGNORED, str(reason)
        else:
            record_event(provider=event.provider, event=parsed)
        event.processed, event.processed_at = True, timezone.now()
        event.save(update_fields=["status", "error", "processed", "processed_at"])


def record_event(*, provider: str, event: Event) -> None:
    """Turn what a provider says into rows of the company entered.

    Raises:
        ActivityTypeClash: its id is known as something else.
    """
    match event:
        case MessageEvent():
            record_message(provider=provider, **asdict(event))
        case CallEvent():
            record_call(provider=provider, **asdict(event))
        case VoicemailEvent():
            record_voicemail(provider=provider, **asdict(event))
        case SummaryEvent():
            record_call_detail(**asdict(event))
        case TranscriptEvent():
            record_call_detail(openphone_id=event.openphone_id, transcript=list(event.lines))
        case ContactEvent():
            import_provider_contact(**asdict(event))


def _lock_claim(event: WebhookEvent) -> bool:
    """Locks the delivery until the transaction ends: a lease that runs out meanwhile gives it to nobody else."""
    claimed = WebhookEvent.objects.waiting().filter(pk=event.pk, run_at=event.run_at)
    return claimed.select_for_update().first() is not None


def _record_failure(event: WebhookEvent, error: Exception) -> None:
    tries = event.tries + 1
    if tries >= settings.WORKER_MAX_TRIES:
        _mark_dead(event, error, tries=tries)
        return
    _mark(event, error, tries=tries, run_at=timezone.now() + timedelta(seconds=min(2**tries, MAX_WAIT_S)))


def _mark_dead(event: WebhookEvent, error: Exception, *, tries: int) -> None:
    _mark(event, error, tries=tries, status=EventStatus.DEAD)


def _mark(event: WebhookEvent, error: Exception, **values: object) -> None:
    # The log names the kind of error alone: a database's message may quote a customer's number.
    logger.warning("Delivery %d (%s) failed: %s", event.pk, event.event_type, type(error).__name__)
    reason = str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"
    with tenant(event.company_id):
        mine = WebhookEvent.objects.waiting().filter(pk=event.pk, run_at=event.run_at)
        mine.update(error=storable(reason), **values)

"""Webhook processing: any number of workers process each stored event once."""

import logging
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from calls.services.call_details import record_call_detail
from calls.services.call_ingest import record_call, record_voicemail
from crm.db.audit_context import acting_as
from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from crm.services.archived_ids import ActivityArchived
from crm.services.conversations import IdClash
from crm.services.provider_contacts import import_provider_contact
from crm.worker import backoff, first_line_of
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.providers.errors import InvalidPayload, NotHandled
from messaging.providers.event_times import is_future, mend_times
from messaging.providers.events import (
    CallEvent,
    ContactEvent,
    Event,
    MessageEvent,
    SummaryEvent,
    TranscriptEvent,
    VoicemailEvent,
)
from messaging.providers.payloads import replace_unstorable
from messaging.providers.registry import PROVIDERS
from messaging.querysets import WebhookEventQuerySet
from messaging.services.inbound.messages import record_message
from messaging.services.inbound.opt_out_keywords import record_opt_out_of_text

MAX_REASON = 1000  # a database error may quote a whole message

logger = logging.getLogger(__name__)


def process_next_event() -> bool:
    """Process the oldest due event of any company. Returns False if none is due.

    Its rows and its new status are one transaction. A killed worker has thus done nothing, and the event is claimed
    again when the lease ends; this isn't a failed attempt. An exception is. After WORKER_MAX_TRIES failed attempts the
    event is dead, or at once if a retry can't help.
    """
    event = claim_event()
    if event is None:
        return False
    try:
        with tenant(event.company_id):
            process_claimed_event(event=event)
    except Exception as error:
        if not connection.is_usable():
            raise  # the database failed, not the event
        _end_attempt(event, error)
    return True


def is_event_due() -> bool:
    with all_tenants_autocommit():
        return WebhookEvent.objects.due(timezone.now()).exists()


def has_pending_events() -> bool:
    """Return whether any event is pending, under a lease or in backoff included."""
    with all_tenants():
        return WebhookEvent.objects.waiting().exists()


def claim_event() -> WebhookEvent | None:
    """Lease the oldest due event for WORKER_LEASE_S seconds. Returns None if none is due.

    The end of the lease, in `run_at`, identifies the claim: the next worker sets another value.
    """
    now = timezone.now()
    with all_tenants(), transaction.atomic():
        # The body and headers are read under the claim, where a failure is the event's.
        due = WebhookEvent.objects.due(now).defer("body", "headers")
        if connection.features.has_select_for_update_skip_locked:  # SQLite has a single writer
            due = due.select_for_update(skip_locked=True)
        event = due.first()
        if event is not None:
            event.run_at = now + timedelta(seconds=settings.WORKER_LEASE_S)
            event.save(update_fields=["run_at"])
    return event


def process_claimed_event(*, event: WebhookEvent) -> None:
    """Record a claimed event and mark it processed, all or nothing. Does nothing if the claim was lost."""
    with transaction.atomic(), acting_as(None, f"{event.provider} webhook"):
        claimed = _lock_claim(event)
        if claimed is None:
            return
        event = claimed
        webhook = PROVIDERS[event.provider].webhook
        envelope = webhook.read_envelope(bytes(event.body), event.headers)
        event.status = EventStatus.PROCESSED
        try:
            parsed = webhook.read_event(envelope, received_at=event.created_at)
            mended, problem = mend_times(parsed, received_at=event.created_at)
            event.error = " ".join(filter(None, [envelope.warning, problem]))
            record_event(provider=event.provider, event=mended)
        except (NotHandled, ActivityArchived) as reason:
            event.status, event.error = EventStatus.IGNORED, str(reason)
            keep_opt_out(event=event)
        event.processed, event.processed_at = True, timezone.now()
        event.save(update_fields=["status", "error", "processed", "processed_at"])


def reprocess_webhook_events(*, events: WebhookEventQuerySet) -> int:
    """Reset these events to pending, with all attempts. Returns how many; pending events stay unchanged.

    Recording is idempotent, so processed events may be processed again.
    """
    return events.exclude(status=EventStatus.PENDING).update(
        status=EventStatus.PENDING, processed=False, processed_at=None, error="", tries=0, run_at=timezone.now()
    )


def record_event(*, provider: str, event: Event) -> None:
    """Record a provider's event in the active company.

    Raises:
        IdClash: the id belongs to another type of activity, or to a message in the other direction.
        ActivityArchived: the activity is archived, and nothing was changed.
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


def keep_opt_out(*, event: WebhookEvent) -> None:
    """Record the opt-out of a webhook event that is not recorded. Idempotent.

    The law counts a STOP whatever else is wrong: one is kept if the sender and the text can be read.
    """
    found = PROVIDERS[event.provider].webhook.find_incoming_text(bytes(event.body), event.headers)
    if found is None:
        return
    occurred_at = found.created_at or event.created_at
    if is_future(occurred_at, received_at=event.created_at):
        occurred_at = event.created_at
    record_opt_out_of_text(text=found, occurred_at=occurred_at)


def _lock_claim(event: WebhookEvent) -> WebhookEvent | None:
    """Lock the event until the transaction ends, so that no other worker gets it when the lease runs out."""
    claimed = WebhookEvent.objects.waiting().filter(pk=event.pk, run_at=event.run_at)
    return claimed.select_for_update().first()


def _end_attempt(event: WebhookEvent, error: Exception) -> None:
    """Keep the event's opt-out, if any, and the reason why the event wasn't recorded."""
    try:
        with tenant(event.company_id), acting_as(None, f"{event.provider} webhook"):
            keep_opt_out(event=event)
    except Exception as failure:
        if not connection.is_usable():
            raise
        error = failure  # not dead at once: a later attempt may keep it
    if isinstance(error, InvalidPayload | IdClash):
        _mark_dead(event, error, tries=event.tries)
    else:
        _record_failure(event, error)


def _record_failure(event: WebhookEvent, error: Exception) -> None:
    tries = event.tries + 1
    if tries >= settings.WORKER_MAX_TRIES:
        _mark_dead(event, error, tries=tries)
        return
    _update_claim(event, error, tries=tries, run_at=timezone.now() + backoff(tries))


def _mark_dead(event: WebhookEvent, error: Exception, *, tries: int) -> None:
    _update_claim(event, error, tries=tries, status=EventStatus.DEAD)


def _update_claim(event: WebhookEvent, error: Exception, **values: object) -> None:
    invalid = isinstance(error, InvalidPayload)  # its text names the field and not its value
    logged = str(error) if invalid else first_line_of(error)
    logger.warning("Webhook event %d (%s) failed: %s", event.pk, event.event_type, logged)
    reason = str(error) if invalid else f"{type(error).__name__}: {error}"
    with tenant(event.company_id):
        claimed = WebhookEvent.objects.waiting().filter(pk=event.pk, run_at=event.run_at)
        claimed.update(error=replace_unstorable(reason[:MAX_REASON]), **values)

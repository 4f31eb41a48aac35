"""Webhook processing: any number of workers process each stored event once."""

import logging
import random
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from time import monotonic

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from calls.services.call_details import lock_calls, record_call_detail
from calls.services.call_ingest import record_call, record_voicemail
from crm.choices import AuditAction
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, all_tenants_autocommit, tenant
from crm.models import User
from crm.services.activities import IdClash
from crm.services.archived_ids import ActivityArchived
from crm.services.audited_actions import record_action
from crm.services.bulk_actions import bulk_kind
from crm.services.conversations import read_in_advance
from crm.services.known_rows import KnownRows
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
    PhoneEvent,
    SummaryEvent,
    TranscriptEvent,
    VoicemailEvent,
)
from messaging.providers.payloads import replace_unstorable
from messaging.providers.registry import PROVIDERS
from messaging.querysets import WebhookEventQuerySet
from messaging.services.inbound.event_counts import count_ended_events
from messaging.services.inbound.messages import record_message
from messaging.services.inbound.opt_out_keywords import record_opt_out_of_text
from messaging.services.inbound.plain_messages import record_plain_messages
from messaging.services.inbound.receipts import apply_plain_receipts

BATCH, MAX_BATCH = 20, 50  # events of one claim
BATCH_S = 0.2  # of work after one claim: delivery receipts take a tenth of the time of calls
# Events that are processed together hold locks for longer, and of many contacts. They give way before PostgreSQL looks
# for a deadlock (1 s) and fails one of the two, such as a user's request.
TOGETHER_LOCK_TIMEOUT = "300ms"
# A skip scan: PostgreSQL has no plan of its own that finds the few distinct companies of many rows.
COMPANIES_WITH_DUE_EVENTS = """
WITH RECURSIVE waiting (company_id) AS (
    SELECT min(company_id) FROM webhook_events WHERE status = 'pending'
    UNION ALL
    SELECT (SELECT min(e.company_id) FROM webhook_events e
            WHERE e.status = 'pending' AND e.company_id > waiting.company_id)
    FROM waiting WHERE waiting.company_id IS NOT NULL
)
SELECT company_id FROM waiting
WHERE company_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM webhook_events e
    WHERE e.status = 'pending' AND e.company_id = waiting.company_id AND e.run_at <= %s
)
"""
MAX_REASON = 1000  # a database error may quote a whole message

_limit = BATCH

logger = logging.getLogger(__name__)


def process_due_events(*, limit: int | None = None) -> bool:
    """Process up to `limit` due events of one company, oldest first. Returns False if none is due.

    By default, as many as take about BATCH_S, by the time of this process's last claim.

    The rows of the events and their new status are one transaction. A killed worker has thus done nothing, and the
    events are claimed again when the lease ends; this isn't a failed attempt. An exception is. After WORKER_MAX_TRIES
    failed attempts the event is dead, or at once if a retry can't help.
    """
    global _limit
    began, events = monotonic(), claim_events(limit=limit or _limit)
    for _, of_provider in groupby(events, key=attrgetter("provider")):
        _process(list(of_provider))
    if events:
        count_ended_events(events=events)
        per_event_s = max(monotonic() - began, 0.001) / len(events)
        _limit = min(max(BATCH, int(BATCH_S / per_event_s)), MAX_BATCH)
    return bool(events)


def is_event_due() -> bool:
    return bool(find_companies_with_due_events(timezone.now()))


def has_pending_events() -> bool:
    """Return whether any event is pending, under a lease or in backoff included."""
    with all_tenants():
        return WebhookEvent.objects.waiting().exists()


def claim_events(*, limit: int) -> list[WebhookEvent]:
    """Lease due events of one company for WORKER_LEASE_S seconds. Returns none if none is due.

    The end of the lease, in `run_at`, identifies the claim: the next worker sets another value. The company is drawn by
    lot, so that the flood of one doesn't delay the others.
    """
    now = timezone.now()
    for company_id in random.sample(companies := find_companies_with_due_events(now), len(companies)):
        with tenant(company_id), transaction.atomic(savepoint=False):
            # The body and headers are read under the claim, where a failure is the event's.
            due = WebhookEvent.objects.due(now).defer("body", "headers")
            if connection.features.has_select_for_update_skip_locked:  # SQLite has a single writer
                due = due.select_for_update(skip_locked=True)
            events = list(due[:limit])
            lease_end = now + timedelta(seconds=settings.WORKER_LEASE_S)
            WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(run_at=lease_end)
        for event in events:
            event.run_at = lease_end
        if events:
            return events
    return []


def find_companies_with_due_events(now: datetime) -> list[int]:
    """Return the companies with due events, by one step in the index for each company with pending events."""
    with all_tenants_autocommit(), connection.cursor() as cursor:
        cursor.execute(COMPANIES_WITH_DUE_EVENTS, [now])
        return [company_id for (company_id,) in cursor.fetchall()]


def _process(events: Sequence[WebhookEvent]) -> None:
    """Process events of one claim and provider in one transaction. If that fails, process each in its own."""
    together = len(events) > 1
    try:
        with program_transaction(
            f"{events[0].provider} webhook",
            company_id=events[0].company_id,
            lock_timeout=TOGETHER_LOCK_TIMEOUT if together else "",
        ):
            process_claimed_events(events=events)
    except Exception as error:
        if not connection.is_usable():
            raise  # the database failed, not the events
        if together:
            logger.info("%d webhook events are recorded one by one: %s", len(events), first_line_of(error))
            for event in events:
                _process([event])
        else:
            _end_attempt(events[0], error)


def process_claimed_events(*, events: Sequence[WebhookEvent]) -> None:
    """Record events of one claim and provider, and mark them processed, in the caller's transaction.

    Events whose claim was lost are left out.
    """
    readings = [_read(event) for event in _lock_claims(events)]
    results: dict[tuple[str, str], list[int]] = {}
    known = KnownRows()

    def leave_out(recorded: Set[int]) -> list[_Reading]:
        for index in recorded:
            results.setdefault((EventStatus.PROCESSED, readings[index].remark), []).append(readings[index].stored.pk)
        return [reading for index, reading in enumerate(readings) if index not in recorded]

    readings = leave_out(apply_plain_receipts(events=[reading.event for reading in readings]))
    if len(readings) > 1:
        _read_in_advance(known, readings)
        events_left = [reading.event for reading in readings]
        readings = leave_out(
            record_plain_messages(provider=readings[0].stored.provider, events=events_left, known=known)
        )
    for reading in readings:
        results.setdefault(_record(reading, known), []).append(reading.stored.pk)
    for (status, error), ids in results.items():
        done = WebhookEvent.objects.filter(pk__in=ids)
        done.update(status=status, error=error, processed=True, processed_at=timezone.now())


@dataclass(frozen=True)
class _Reading:
    """A stored webhook event, as the provider's reader understands it."""

    stored: WebhookEvent
    event: Event | None
    remark: str  # what had to be mended, or why there is no event


def _read(stored: WebhookEvent) -> _Reading:
    webhook = PROVIDERS[stored.provider].webhook
    envelope = webhook.read_envelope(bytes(stored.body), stored.headers)
    try:
        event = webhook.read_event(envelope, received_at=stored.created_at)
    except NotHandled as reason:
        return _Reading(stored, None, str(reason))
    mended, problem = mend_times(event, received_at=stored.created_at)
    return _Reading(stored, mended, " ".join(filter(None, [envelope.warning, problem])))


def _read_in_advance(known: KnownRows, readings: Sequence[_Reading]) -> None:
    events = [reading.event for reading in readings if isinstance(reading.event, PhoneEvent)]
    lock_calls(known, {event.openphone_id for event in events if not isinstance(event, MessageEvent)})
    read_in_advance(known, provider=readings[0].stored.provider, events=events)


def _record(reading: _Reading, known: KnownRows) -> tuple[str, str]:
    """Record the event. Return the status of the stored one, and a remark."""
    remark = reading.remark
    if reading.event is not None:
        try:
            record_event(provider=reading.stored.provider, event=reading.event, known=known)
        except ActivityArchived as reason:
            known.forget()  # its changes were rolled back, with their locks
            remark = str(reason)
        else:
            return EventStatus.PROCESSED, remark
    keep_opt_out(event=reading.stored)
    return EventStatus.IGNORED, remark


def reprocess_webhook_events(*, events: WebhookEventQuerySet) -> int:
    """Reset these events to pending, with all attempts. Returns how many; pending events stay unchanged.

    Recording is idempotent, so processed events may be processed again.
    """
    return events.exclude(status=EventStatus.PENDING).update(
        status=EventStatus.PENDING, processed=False, processed_at=None, error="", tries=0, run_at=timezone.now()
    )


def reprocess_for_user(*, pk: int, status: str, user: User) -> bool:
    """Reset an event of the active company to pending, and record who did. Returns False if it is pending already."""
    if not reprocess_webhook_events(events=WebhookEvent.objects.filter(pk=pk)):
        return False
    changes = {"status": (status, EventStatus.PENDING.value)}
    record_action(user=user, table="webhook_events", row_id=pk, changes=changes, action=AuditAction.REPLAY)
    return True


def reprocess_all_for_user(ids: Sequence[int], user: User) -> int:
    """Reset these events of the active company to pending. Return how many weren't pending."""
    events = WebhookEvent.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "status")
    return sum(reprocess_for_user(pk=pk, status=status, user=user) for pk, status in list(events))


PROCESS_AGAIN = bulk_kind("process-events", "Webhook events processed again", reprocess_all_for_user)


def record_event(*, provider: str, event: Event, known: KnownRows | None = None) -> None:
    """Record a provider's event in the active company.

    Args:
        known: rows that were read in advance in this transaction.

    Raises:
        IdClash: the id belongs to another type of activity, or to a message in the other direction.
        ActivityArchived: the activity is archived, and nothing was changed.
    """
    match event:
        case MessageEvent():
            record_message(provider=provider, known=known, **asdict(event))
        case CallEvent():
            record_call(provider=provider, known=known, **asdict(event))
        case VoicemailEvent():
            record_voicemail(provider=provider, known=known, **asdict(event))
        case SummaryEvent():
            record_call_detail(**asdict(event))
        case TranscriptEvent():
            record_call_detail(openphone_id=event.openphone_id, transcript=list(event.lines))
        case ContactEvent():
            import_provider_contact(**asdict(event))
            if known:
                known.forget()  # the numbers' contacts


def keep_opt_out(*, event: WebhookEvent) -> None:
    """Record the opt-out of a webhook event that is not recorded. Idempotent.

    By law a STOP counts even in an invalid event. It is recorded if its sender and text can be read.
    """
    found = PROVIDERS[event.provider].webhook.find_incoming_text(bytes(event.body), event.headers)
    if found is None:
        return
    occurred_at = found.created_at or event.created_at
    if is_future(occurred_at, received_at=event.created_at):
        occurred_at = event.created_at
    record_opt_out_of_text(text=found, occurred_at=occurred_at)


def _lock_claims(events: Sequence[WebhookEvent]) -> list[WebhookEvent]:
    """Lock the events until the transaction ends, so that no other worker gets them when the lease runs out."""
    claimed = WebhookEvent.objects.waiting().filter(run_at=events[0].run_at)
    locked = claimed.select_for_update().in_bulk([event.pk for event in events])
    return [locked[event.pk] for event in events if event.pk in locked]


def _end_attempt(event: WebhookEvent, error: Exception) -> None:
    """Keep the event's opt-out, if any, and the reason why the event wasn't recorded."""
    try:
        with program_transaction(f"{event.provider} webhook", company_id=event.company_id):
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

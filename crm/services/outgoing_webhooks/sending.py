"""Sending outgoing events: any number of workers, one attempt at a time for each webhook.

A worker leases a webhook, sends its next event in a thread without the database, and records the result. A slow
receiver keeps one of the threads busy, and no other webhook waits for it. If the worker is killed in between, the lease
runs out and the event is sent again, under the same ID.
"""

import logging
import random
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from threading import local

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.choices import OutgoingStatus
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.encryption import SecretUnreadable, decrypt
from crm.fields import as_stored
from crm.models import OutgoingEvent, OutgoingWebhook
from crm.public_http import Answer, RequestFailed, post
from crm.services.outgoing_webhooks.events import body_of
from crm.services.outgoing_webhooks.signing import signed_headers

PROGRAM = "outgoing webhooks"
MAX_IN_FLIGHT = 32  # webhooks, of one worker
FIRST_WAIT_S, MAX_WAIT_S = 5, 8 * 3600  # between attempts of one event: 5 s, 20 s, 80 s, …
MAX_REST_S = 300  # of a webhook after failures in a row
MAX_RETRY_AFTER_S = 24 * 3600
DISABLED_AFTER = timedelta(days=5)  # of failures only
PENDING_HORIZON = timedelta(minutes=10)
GONE = 410

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """An event with what is needed to send it."""

    event: OutgoingEvent
    webhook: OutgoingWebhook
    lease_until: datetime
    secrets: tuple[str, ...]


class _State(local):
    def __init__(self) -> None:
        self.in_flight: dict[Future[Answer], Attempt] = {}


_state = _State()


def send_next_events() -> bool:
    """Record the results that have come in, and send the next events. Returns False if there was neither."""
    in_flight = _state.in_flight
    recorded = _record_finished()
    attempts = claim_attempts(MAX_IN_FLIGHT - len(in_flight))
    for attempt in attempts:
        in_flight[_threads().submit(send, attempt)] = attempt
    if not attempts and not recorded and in_flight:
        wait(in_flight, timeout=0.2, return_when=FIRST_COMPLETED)
        recorded = _record_finished()
    return bool(attempts or recorded)


def finish_attempts() -> None:
    """Wait for the attempts that are under way, and record their results: else they would be repeated."""
    while _state.in_flight:
        wait(_state.in_flight, return_when=FIRST_COMPLETED)  # each ends by itself: see `public_http.WHOLE_S`
        _record_finished()


def is_event_due() -> bool:
    if _state.in_flight:
        return True
    with all_tenants_autocommit():
        return OutgoingWebhook.objects.ready(timezone.now()).exists()


def has_pending_events() -> bool:
    """Return whether an event waits for an attempt within ten minutes. Those that wait for longer don't count."""
    with all_tenants():
        pending = OutgoingEvent.objects.filter(status=OutgoingStatus.PENDING, webhook__is_active=True)
        return pending.filter(run_at__lte=timezone.now() + PENDING_HORIZON).exists()


def claim_attempts(limit: int) -> list[Attempt]:
    """Lease up to so many webhooks, and return the next attempt of each."""
    if limit <= 0:
        return []
    with all_tenants():
        now = timezone.now()
        lease_until = now + timedelta(seconds=settings.WORKER_LEASE_S)
        ready = OutgoingWebhook.objects.ready(now).select_for_update(skip_locked=True, no_key=True, of=("self",))
        # Secrets are decrypted one by one: one of a missing key mustn't stop the others.
        stored = ready.defer("secret", "old_secret").annotate(new=as_stored("secret"), old=as_stored("old_secret"))
        attempts = []
        for webhook in stored.order_by("next_at", "pk")[:limit]:
            pending = webhook.events.filter(status=OutgoingStatus.PENDING, run_at__lte=now)
            event = pending.order_by("run_at", "pk").first()
            if event is not None:
                OutgoingWebhook.objects.filter(pk=webhook.pk).update(lease_until=lease_until)
                attempts.append(Attempt(event, webhook, lease_until, _secrets_of(webhook, now)))
        return attempts


def send(attempt: Attempt) -> Answer:
    """Send the event. Raises RequestFailed. It is called in a thread without a connection to the database."""
    if not attempt.secrets:
        raise RequestFailed("The secret can't be read. Rotate it, or tell the support.")
    body = body_of(attempt.event)
    headers = signed_headers(
        event_id=attempt.event.event_id, timestamp=int(timezone.now().timestamp()), body=body, secrets=attempt.secrets
    )
    return post(attempt.webhook.url, headers={"user-agent": "crm-webhooks/1", **headers}, body=body)


def record_result(attempt: Attempt, answer: Answer | None, error: str) -> None:
    """Record the result of an attempt. Without an answer, `error` says why."""
    now, event = timezone.now(), attempt.event
    with program_transaction(PROGRAM, company_id=event.company_id):
        webhooks = OutgoingWebhook.objects.filter(pk=attempt.webhook.pk)
        events = OutgoingEvent.objects.filter(pk=event.pk, status=OutgoingStatus.PENDING)
        status = answer.status if answer else None
        # Of a lease that has run out, another worker frees the webhook.
        webhooks.filter(lease_until=attempt.lease_until).update(lease_until=None)
        if status is not None and 200 <= status < 300:
            events.update(status=OutgoingStatus.SENT, sent_at=now, tries=F("tries") + 1, answer_status=status, error="")
            webhooks.update(failures=0, failing_since=None, next_at=now)
            return
        wait_s = max(next_wait_s(event.tries), _retry_after_s(answer))
        is_last = now + timedelta(seconds=wait_s) > event.give_up_at
        events.update(
            status=OutgoingStatus.DEAD if is_last else OutgoingStatus.PENDING,
            tries=F("tries") + 1, run_at=now + timedelta(seconds=wait_s), answer_status=status, error=error[:200],
        )  # fmt: skip
        rest_s = max(min(2 ** min(attempt.webhook.failures, 20), MAX_REST_S), _retry_after_s(answer))
        webhooks.update(
            failures=F("failures") + 1, failing_since=Coalesce("failing_since", now),
            next_at=now + timedelta(seconds=rest_s),
        )  # fmt: skip
        if status == GONE:
            disable(attempt.webhook, reason="The receiver says that it is gone (410).")
        elif (attempt.webhook.failing_since or now) <= now - DISABLED_AFTER:
            disable(attempt.webhook, reason=f"Every attempt of {DISABLED_AFTER.days} days has failed.")


def disable(webhook: OutgoingWebhook, *, reason: str) -> None:
    """Switch a webhook off. Its pending events are dead, so that they are seen and can be replayed."""
    OutgoingWebhook.objects.filter(pk=webhook.pk).update(is_active=False, disabled_reason=reason)
    end_pending_events(webhook)


def end_pending_events(webhook: OutgoingWebhook) -> None:
    pending = OutgoingEvent.objects.filter(webhook=webhook.pk, status=OutgoingStatus.PENDING)
    pending.update(status=OutgoingStatus.DEAD, error="The outgoing webhook was switched off.")


def next_wait_s(tries: int) -> float:
    """Return the seconds to the next attempt, with jitter: receivers that are back aren't hit by all at once."""
    return min(FIRST_WAIT_S * 4 ** min(tries, 20), MAX_WAIT_S) * random.uniform(0.9, 1.1)  # noqa: S311


def _record_finished() -> bool:
    finished = [future for future in _state.in_flight if future.done()]
    for future in finished:
        attempt = _state.in_flight.pop(future)
        answer, error = None, ""
        try:
            answer = future.result()
            error = f"The receiver answered with status {answer.status}."
        except RequestFailed as failure:
            error = str(failure)
        except Exception:
            logger.exception("The attempt of outgoing event %d failed.", attempt.event.pk)
            error = "An internal error ended the attempt."
        record_result(attempt, answer, error)
    return bool(finished)


def _secrets_of(webhook: OutgoingWebhook, now: datetime) -> tuple[str, ...]:
    stored = [webhook.new]  # type: ignore[attr-defined]  # annotated
    if webhook.old_secret_until is not None and webhook.old_secret_until > now:
        stored.append(webhook.old)  # type: ignore[attr-defined]  # annotated
    try:
        return tuple(decrypt(text) for text in stored)
    except SecretUnreadable:
        return ()


def _retry_after_s(answer: Answer | None) -> float:
    text = answer.retry_after.strip() if answer else ""
    return float(min(int(text), MAX_RETRY_AFTER_S)) if text.isdecimal() and len(text) < 10 else 0.0


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_IN_FLIGHT, "outgoing-webhook")

"""Metrics of the outbox, the missed queue, mails to users, the rollups and the webhook events.

Counts have an upper bound, so that a scrape is cheap even for long queues.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db.models import Min, QuerySet
from django.db.models.functions import Coalesce
from django.utils.timezone import now
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from analytics.models import CallRollup
from calls.models import MissedCaller
from crm.choices import MailState
from crm.models import Mail, StoredObject
from crm.services.file_storage import has_file_storage
from messaging.choices import EventStatus, MessageKind, MessageStatus
from messaging.models import Message, WebhookEvent
from messaging.models.messages import OUTBOX_STATUSES
from messaging.services.outbound.sending import PENDING_HORIZON

MAX_COUNTED = 10_000  # counting reads each row: this many take a few milliseconds
COUNTED = f"Counted up to {MAX_COUNTED:,}."
COUNTS: dict[str, tuple[str, Callable[[], QuerySet]]] = {
    "crm_texts_held": (
        "Messages that wait for a person.",
        lambda: Message.objects.filter(status=MessageStatus.HELD),
    ),
    "crm_texts_failing": (
        "Queued messages with failed attempts.",
        lambda: Message.objects.filter(status=MessageStatus.QUEUED, tries__gt=0),
    ),
    "crm_missed_callers_waiting": ("Missed callers who have not been reached.", MissedCaller.objects.waiting),
    "crm_missed_callers_texts_due": ("Missed callers with a due text back.", MissedCaller.objects.text_backs_due),
    "crm_missed_callers_texts_failed": (
        "Missed callers of the last day whose text back failed by an internal error.",
        lambda: MissedCaller.objects.text_backs_failed(since=now() - timedelta(days=1)),
    ),
    "crm_mails_failed": (
        "Mails to users of the last day that could not be sent.",
        lambda: Mail.objects.filter(state=MailState.FAILED, created_at__gt=now() - timedelta(days=1)),
    ),
    "crm_file_moves_failing": (
        "Objects of the file storage whose copy or deletion has failed, and is tried again.",
        lambda: StoredObject.objects.failing() if has_file_storage() else StoredObject.objects.none(),
    ),
    "crm_rollups_failing": ("Companies whose last update of the daily totals failed.", CallRollup.objects.failing),
    "crm_webhook_events_failing": (
        "Pending webhook events with failed attempts.",
        lambda: WebhookEvent.objects.waiting().filter(tries__gt=0),
    ),
}


def collect() -> Iterator[Metric]:
    outbox = GaugeMetricFamily("crm_texts", f"Messages in the outbox, by status. {COUNTED}", labels=["status"])
    for status in OUTBOX_STATUSES:
        outbox.add_metric([status], _count(Message.objects.filter(status=status)))
    yield outbox

    due = (Message.objects.queued_until(now()), Message.objects.due_for_lookup(now()))
    oldest_due = [run_at for rows in due if (run_at := rows.order_by().aggregate(Min("run_at"))["run_at__min"])]
    yield GaugeMetricFamily(
        "crm_texts_oldest_due_seconds",
        "Seconds since the oldest due message could be sent. 0: none is due.",
        value=_seconds_since(min(oldest_due, default=None)),
    )
    yield _find_oldest_texts()
    for name, (text, rows) in COUNTS.items():
        yield GaugeMetricFamily(name, f"{text} {COUNTED}", value=_count(rows()))

    waiting = WebhookEvent.objects.waiting()
    events = GaugeMetricFamily(
        "crm_webhook_events", f"Unprocessed webhook events by status. {COUNTED}", labels=["status"]
    )
    for unprocessed in (EventStatus.PENDING, EventStatus.DEAD):
        events.add_metric([unprocessed], _count(WebhookEvent.objects.with_status(unprocessed)))
    yield events
    yield GaugeMetricFamily(
        "crm_webhook_oldest_pending_seconds",
        "Age of the oldest pending webhook event in seconds. 0: none is pending.",
        value=_seconds_since(waiting.values_list("created_at", flat=True).first()),
    )


def _find_oldest_texts() -> Metric:
    """Return the ages since writing, by kind. A retry changes `run_at`, so it would hide an outage.

    Messages that the send policy has deferred for long, as by quiet hours, don't count until they are due.
    """
    oldest = GaugeMetricFamily(
        "crm_texts_oldest_queued_seconds",
        "Seconds since the oldest message that is due, or will be soon, was queued. 0: there is none.",
        labels=["kind"],
    )
    due = Message.objects.queued_until(now() + PENDING_HORIZON)
    written = Coalesce("send_at", "created_at")  # a scheduled message may wait for weeks
    queued_at = dict(due.order_by().values_list("kind").annotate(oldest=Min(written)))
    for kind in MessageKind:
        oldest.add_metric([kind], _seconds_since(queued_at.get(kind)))
    return oldest


def _count(rows: QuerySet) -> int:
    return rows.order_by()[:MAX_COUNTED].count()


def _seconds_since(moment: datetime | None) -> float:
    return max((now() - moment).total_seconds(), 0) if moment else 0

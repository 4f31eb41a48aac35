"""Metrics of the outbox and the missed queue."""

from collections.abc import Iterator

from django.utils.timezone import now
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from calls.models import MissedCaller
from messaging.models import Message
from messaging.models.messages import OUTBOX_STATUSES
from ops.prometheus.bounded_counts import COUNTED, count, seconds_since


def collect() -> Iterator[Metric]:
    outbox = GaugeMetricFamily("crm_texts", f"Messages in the outbox, by status. {COUNTED}", labels=["status"])
    for status in OUTBOX_STATUSES:
        outbox.add_metric([status], count(Message.objects.filter(status=status)))
    yield outbox

    due = Message.objects.pending_until(now()).order_by("run_at")
    yield GaugeMetricFamily(
        "crm_texts_oldest_due_seconds",
        "Seconds since the oldest due message could be sent. 0: none is due.",
        value=seconds_since(due.values_list("run_at", flat=True).first()),
    )
    yield GaugeMetricFamily(
        "crm_missed_callers_waiting",
        f"Missed callers who have not been reached. {COUNTED}",
        value=count(MissedCaller.objects.waiting()),
    )
    yield GaugeMetricFamily(
        "crm_missed_callers_texts_due",
        f"Missed callers with a due text back. {COUNTED}",
        value=count(MissedCaller.objects.text_backs_due()),
    )

"""Texts that wait to leave, and missed callers who wait for us."""

from collections.abc import Iterator

from django.utils.timezone import now
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from calls.models import MissedCaller
from messaging.models import Message
from messaging.models.messages import ON_ITS_WAY
from ops.prometheus.bounded_counts import COUNTED, count, seconds_since


def collect() -> Iterator[Metric]:
    texts = GaugeMetricFamily("crm_texts", f"Texts that have still to leave, by status. {COUNTED}", labels=["status"])
    for status in ON_ITS_WAY:
        texts.add_metric([status], count(Message.objects.filter(status=status)))
    yield texts

    due = Message.objects.on_their_way(now()).order_by("run_at")
    yield GaugeMetricFamily(
        "crm_texts_oldest_due_seconds",
        "How long ago the text that has waited longest might have left; 0 where none is due.",
        value=seconds_since(due.values_list("run_at", flat=True).first()),
    )
    yield GaugeMetricFamily(
        "crm_missed_callers_waiting",
        f"Missed callers whom nobody has reached yet. {COUNTED}",
        value=count(MissedCaller.objects.waiting()),
    )
    yield GaugeMetricFamily(
        "crm_missed_callers_texts_due",
        f"Missed callers who have still to be sent a text. {COUNTED}",
        value=count(MissedCaller.objects.texts_due()),
    )

"""What providers deliver: what waits, what is dead, and what came in lately."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils.timezone import now
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from crm.choices import Provider
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from ops.prometheus.bounded_counts import COUNTED, count, seconds_since

LATELY = timedelta(minutes=5)


def collect() -> Iterator[Metric]:
    waiting = WebhookEvent.objects.waiting()
    events = GaugeMetricFamily(
        "crm_webhook_events", f"Deliveries that are not dealt with, by status. {COUNTED}", labels=["status"]
    )
    for status in (EventStatus.PENDING, EventStatus.DEAD):
        events.add_metric([status], count(WebhookEvent.objects.with_status(status)))
    yield events
    yield GaugeMetricFamily(
        "crm_webhook_events_failing",
        f"Pending deliveries that have failed and are tried again. {COUNTED}",
        value=count(waiting.filter(tries__gt=0)),
    )
    yield GaugeMetricFamily(
        "crm_webhook_oldest_pending_seconds",
        "Since when the oldest pending delivery has waited; 0 where none does.",
        value=seconds_since(waiting.values_list("created_at", flat=True).first()),
    )
    yield _recent_deliveries()


def _recent_deliveries() -> Metric:
    """By what became of them so far. All there ever were could not be counted at each scrape."""
    recent = GaugeMetricFamily(
        "crm_webhook_recent_deliveries",
        "Deliveries of the last five minutes, by provider and status.",
        labels=["provider", "status"],
    )
    counted = WebhookEvent.objects.since(now() - LATELY).values_list("provider", "status").annotate(Count("pk"))
    counts = {(provider, status): deliveries for provider, status, deliveries in counted}
    for provider in Provider:
        for status in EventStatus:
            recent.add_metric([provider, status], counts.get((provider, status), 0))
    return recent

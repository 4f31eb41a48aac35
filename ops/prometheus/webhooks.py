"""Metrics of webhook events: waiting, dead and recent ones."""

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

RECENT = timedelta(minutes=5)


def collect() -> Iterator[Metric]:
    waiting = WebhookEvent.objects.waiting()
    events = GaugeMetricFamily(
        "crm_webhook_events", f"Unprocessed webhook events by status. {COUNTED}", labels=["status"]
    )
    for status in (EventStatus.PENDING, EventStatus.DEAD):
        events.add_metric([status], count(WebhookEvent.objects.with_status(status)))
    yield events
    yield GaugeMetricFamily(
        "crm_webhook_events_failing",
        f"Pending webhook events with failed attempts. {COUNTED}",
        value=count(waiting.filter(tries__gt=0)),
    )
    yield GaugeMetricFamily(
        "crm_webhook_oldest_pending_seconds",
        "Age of the oldest pending webhook event in seconds. 0: none is pending.",
        value=seconds_since(waiting.values_list("created_at", flat=True).first()),
    )
    yield _count_recent_events()


def _count_recent_events() -> Metric:
    """Count the events of the last five minutes by status. Counting all events would make a scrape slow."""
    recent = GaugeMetricFamily(
        "crm_webhook_recent_deliveries",
        "Webhook events of the last five minutes, by provider and status.",
        labels=["provider", "status"],
    )
    counted = WebhookEvent.objects.since(now() - RECENT).values_list("provider", "status").annotate(Count("pk"))
    counts = {(provider, status): events for provider, status, events in counted}
    for provider in Provider:
        for status in EventStatus:
            recent.add_metric([provider, status], counts.get((provider, status), 0))
    return recent

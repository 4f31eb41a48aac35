"""Metrics of the providers' APIs and webhooks, as the workers see them."""

from collections.abc import Iterator

from django.db.models import Count
from django.utils.timezone import now
from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from crm.choices import Provider
from crm.models import PhoneLine
from messaging.models import ProviderHealth
from messaging.services.inbound.event_counts import ENDED
from messaging.services.outbound.provider_health import REASONS


def collect() -> Iterator[Metric]:
    health = {row.provider: row for row in ProviderHealth.objects.all()}
    paused = PhoneLine.objects.filter(paused_until__gt=now()).values_list("provider").annotate(Count("pk"))
    lines = dict(paused.order_by())
    failures = CounterMetricFamily(
        "crm_provider_failures", "Calls to a provider that failed, by reason.", labels=["provider", "reason"]
    )
    events = CounterMetricFamily(
        "crm_webhook_events_ended",
        "Webhook events that were processed or ignored, or have failed for good. Processed again, they count again.",
        labels=["provider", "status"],
    )
    down = GaugeMetricFamily("crm_provider_down", "1 while a provider doesn't answer.", labels=["provider"])
    stopped = GaugeMetricFamily("crm_phone_lines_paused", "Phone lines that may not send now.", labels=["provider"])
    for provider in Provider:
        row = health.get(provider, ProviderHealth())
        for reason in REASONS.values():
            failures.add_metric([provider, reason], getattr(row, reason))
        for status, column in ENDED.items():
            events.add_metric([provider, status], getattr(row, column))
        down.add_metric([provider], row.down_since is not None)
        stopped.add_metric([provider], lines.get(provider, 0))
    yield from (failures, events, down, stopped)

"""Metric of stored secrets, by whether their key is known."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from crm.services.secret_rotation import count_unreadable


def collect() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "crm_secrets_unreadable",
        "Stored secrets whose key isn't among SECRETS_KEYS.",
        value=sum(count_unreadable().values()),
    )

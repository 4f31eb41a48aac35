"""Registry of /metrics. The library's default one would add numbers of a single process."""

from prometheus_client import CollectorRegistry

from ops.prometheus import indexes, queues, webhooks

REGISTRY = CollectorRegistry()
for area in (indexes, queues, webhooks):
    REGISTRY.register(area)

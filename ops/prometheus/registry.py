"""The registry that /metrics shows. It is our own: the library's default one adds figures of one process of many."""

from prometheus_client import CollectorRegistry

from ops.prometheus import indexes, queues, webhooks

REGISTRY = CollectorRegistry()
for area in (indexes, queues, webhooks):
    REGISTRY.register(area)

"""Prometheus metrics, read from the database at each scrape.

The library's default registry would add numbers of a single process.
"""

from prometheus_client import CollectorRegistry

from ops.prometheus import indexes, providers, queues, secrets, workers

REGISTRY = CollectorRegistry()
for area in (indexes, queues, workers, providers, secrets):
    REGISTRY.register(area)

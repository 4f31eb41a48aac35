"""Metrics of workers, from their heartbeats."""

import math
from collections.abc import Iterator

from django.utils.timezone import now
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily

from crm.models import WorkerHeartbeat
from crm.services.heartbeats import LIVE_FOR
from crm.worker import job_names


def collect() -> Iterator[Metric]:
    moment = now()
    beats = list(WorkerHeartbeat.objects.values_list("jobs", "seen_at"))
    live = [jobs for jobs, seen_at in beats if moment - seen_at <= LIVE_FOR]
    workers = GaugeMetricFamily("crm_workers", "Live workers, by job.", labels=["job"])
    for name in job_names():
        workers.add_metric([name], sum(name in jobs for jobs in live))
    yield workers
    yield GaugeMetricFamily(
        "crm_workers_lost", "Workers of the last hour that ended without stopping.", value=len(beats) - len(live)
    )
    last = max((seen_at for _, seen_at in beats), default=None)
    yield GaugeMetricFamily(
        "crm_worker_last_seen_seconds",
        "Seconds since any worker's last sign of life. +Inf: none has run within the last hour.",
        value=max((moment - last).total_seconds(), 0) if last else math.inf,
    )

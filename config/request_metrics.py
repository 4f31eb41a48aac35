"""Histogram of requests, cumulative over all processes of the web server.

Each process of gunicorn keeps its numbers in a file, which config/gunicorn.py prepares. A scrape adds them up.
"""

import os
from collections.abc import Iterable

from prometheus_client import Histogram, Metric
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's name for the variable with the files' folder

DURATIONS = Histogram(
    "crm_request_duration_seconds",
    "Duration of requests, by route, method and class of status.",
    ["route", "method", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
    registry=None,
)


def collect() -> Iterable[Metric]:
    if FOLDER in os.environ:
        return MultiProcessCollector(None).collect()
    return DURATIONS.collect()

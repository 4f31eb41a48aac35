"""Background worker: a loop over the jobs that apps register in `AppConfig.ready`.

Any number of workers run side by side, without a coordinator. Each task is a row that a worker leases for some time.
The lease of a killed worker expires.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from django.db import InterfaceError, OperationalError, close_old_connections

IDLE_S = 0.5  # between two polls of empty queues

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One kind of background work, done task by task."""

    name: str
    do_next: Callable[[], bool]
    """Do the next task that is due. Returns False without one."""
    has_pending: Callable[[], bool]
    """Return whether a task remains, now or later: leased tasks and retries count."""


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """Add a job to the worker, or replace the one of the same name."""
    _jobs[job.name] = job


def work(*, stop: Event, until_empty: bool = False) -> None:
    """Do tasks until `stop` is set, and finish the current task first.

    With `until_empty`, return as soon as no task remains, leased and delayed ones included. If the database is
    unavailable, wait for it.
    """
    while not stop.is_set():
        try:
            # One task of each job, so that a long queue doesn't delay the others.
            done = [job.do_next() for job in _jobs.values()]
            if any(done):
                continue
            if until_empty and not any(job.has_pending() for job in _jobs.values()):
                return
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database is unavailable (%s); retrying.", type(error).__name__)
        close_old_connections()
        stop.wait(IDLE_S)

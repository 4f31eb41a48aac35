"""The background worker: one loop over the jobs that apps register in `AppConfig.ready`.

Any number of workers run side by side. Nothing is handed out by a master: each piece of work is a row, and a worker
takes it by a lease, a time before which no other worker touches it. One that is killed leaves a lease that runs out.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from django.db import InterfaceError, OperationalError, close_old_connections

IDLE_S = 0.5  # between two looks at an empty table

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One kind of work, in pieces that are taken one at a time."""

    name: str
    do_next: Callable[[], bool]
    """Does the next piece that is due. False where none is."""
    is_left: Callable[[], bool]
    """Whether any piece has still to be done, now or later: those under a lease or waiting after a failure count."""


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """Have the worker do this job as well."""
    _jobs[job.name] = job


def work(*, stop: Event, until_empty: bool = False) -> None:
    """Do pieces of work until `stop` is set; the piece in hand is finished first.

    With `until_empty` it returns as soon as nothing is left, neither now nor after the leases and waits that stand.
    A database that goes away is waited for.
    """
    while not stop.is_set():
        try:
            done = [job.do_next() for job in _jobs.values()]  # each in turn: a long queue doesn't hold up the others
            if any(done):
                continue
            if until_empty and not any(job.is_left() for job in _jobs.values()):
                return
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database can't be used (%s); trying again.", type(error).__name__)
        close_old_connections()
        stop.wait(IDLE_S)

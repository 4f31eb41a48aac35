"""Background worker: a loop over the jobs that apps register in `AppConfig.ready`.

Any number of workers run side by side, without a coordinator. Each task is a row that a worker leases for some time.
The lease of a killed worker expires.

No failure ends the worker. A job records the failure of a task on the task's row, so that the task waits and the next
one is done. A job that fails itself waits, while the other jobs go on.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event

from django.db import InterfaceError, OperationalError, close_old_connections, connection

IDLE_S = 0.5  # between two polls of empty queues
MAX_BACKOFF_S = 600
LOG_AGAIN_S = 3600  # for an error that a job has again and again

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One kind of background work, done task by task."""

    name: str
    do_next: Callable[[], bool]
    """Do the next task that is due. Returns False without one."""
    has_pending: Callable[[], bool]
    """Return whether a task remains, now or later: leased tasks and retries count."""


class DatabaseUnavailable(Exception):
    """The connection is lost, or none can be made."""


@dataclass
class Attempts:
    """One worker's attempts at a job."""

    job: Job
    failures: int = 0  # since the last success
    wait_until_s: float = 0.0  # time.monotonic()
    logged_s: dict[tuple[object, ...], float] = field(default_factory=dict)  # time by place of the error

    def do_next(self) -> bool:
        """Do the job's next task. Returns False without one, and while the job waits after a failure."""
        if self.failures and time.monotonic() < self.wait_until_s:
            return False
        try:
            done = self.job.do_next()
        except Exception as error:
            self._record_failure(error)
            return False
        self.failures = 0
        return done

    def has_pending(self) -> bool:
        """Return whether a task remains, or may remain because the job fails."""
        if self.failures:
            return True
        try:
            return self.job.has_pending()
        except Exception as error:
            self._record_failure(error)
            return True

    def _record_failure(self, error: Exception) -> None:
        """Make the job wait, and log the error once with its traceback. Raises DatabaseUnavailable for an outage."""
        if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
            raise DatabaseUnavailable(type(error).__name__) from error
        self.failures += 1
        self.wait_until_s = time.monotonic() + backoff(self.failures).total_seconds()
        place = place_of(error)
        if time.monotonic() - self.logged_s.get(place, float("-inf")) >= LOG_AGAIN_S:
            self.logged_s[place] = time.monotonic()
            logger.error("Job %s failed. It is tried again later, the other jobs go on.", self.job.name, exc_info=error)


_jobs: dict[str, Job] = {}


def register(job: Job) -> None:
    """Add a job to the worker, or replace the one of the same name."""
    _jobs[job.name] = job


def backoff(failures: int) -> timedelta:
    """Return the wait after this many failures in a row: 2 s, 4 s, 8 s, and so on up to MAX_BACKOFF_S."""
    return timedelta(seconds=min(2 ** min(failures, 20), MAX_BACKOFF_S))


def place_of(error: BaseException) -> tuple[object, ...]:
    """Return the type of an error and the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (type(error), trace and trace.tb_frame.f_code.co_filename, trace and trace.tb_lineno)


def work(*, stop: Event, until_empty: bool = False) -> None:
    """Do tasks until `stop` is set, and finish the current task first.

    With `until_empty`, return as soon as no task remains, leased and delayed ones included. If the database is
    unavailable, wait for it.
    """
    jobs = [Attempts(job) for job in _jobs.values()]
    while not stop.is_set():
        try:
            # One task of each job, so that a long queue doesn't delay the others.
            done = [job.do_next() for job in jobs]
            if any(done):
                continue
            if until_empty and not any(job.has_pending() for job in jobs):
                return
        except DatabaseUnavailable as error:
            logger.warning("The database is unavailable (%s); retrying.", error)
        close_old_connections()
        stop.wait(IDLE_S)

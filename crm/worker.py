"""Background worker: a loop over the jobs that apps register in `AppConfig.ready`.

Any number of workers run side by side, without a coordinator. Each task is a row that a worker leases for some time.
The lease of a killed worker expires.

Each job that may take long has its own thread and connection, so that it doesn't delay the others.

No failure ends the worker. A job records the failure of a task on the task's row, so that the task waits and the next
one is done. A job that fails itself waits, while the other jobs go on.
"""

import logging
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from crm.db.watchdog import TASKS

IDLE_S = 1.0  # between two polls of empty queues
SOON_S = 0.1  # the same, while there was a task within LATELY_S: a phone line may only be resting for a moment
LATELY_S = 2.0
SWITCH_S = 0.0005  # a thread that has an answer waits so long for one that computes; Python's default is ten times that
RARELY_S = 30.0  # between two polls of a queue that other programs fill, or that isn't urgent
MAILS_S = 5.0  # between two polls of the mails: somebody waits for a link
MAX_BACKOFF_S = 600
MAX_OUTAGE_WAIT_S = 30
LOG_AGAIN_S = 3600  # for an error that a job has again and again
RENEW_CONNECTION_S = 30  # the check of a kept connection is a statement, too

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One kind of background work, done task by task."""

    name: str
    do_next: Callable[[], bool]
    """Do the next task that is due. Returns False without one."""
    has_pending: Callable[[], bool]
    """Return whether a task remains, now or later: leased tasks and retries count."""
    is_due: Callable[[], bool] = lambda: True
    """Return whether a task may be due, with one statement. Asked while the queue is empty."""
    poll_s: float = 0.0  # at least, while the queue is empty
    after: Collection[str] = ()  # names of jobs of the same thread: the queue is polled as soon as one has done a task
    own_thread: bool = False  # a task may take long
    finish: Callable[[], None] = lambda: None
    """Finish what is under way between two tasks. Called when the worker stops."""


class DatabaseUnavailable(Exception):
    """The connection is lost, or none can be made."""


@dataclass
class Attempts:
    """One worker's attempts at a job."""

    job: Job
    done: int = 0
    failed: int = 0
    failures: int = 0  # since the last success
    is_idle: bool = True  # the last attempt found no task
    wait_until_s: float = 0.0  # time.monotonic()
    logged_s: dict[tuple[object, ...], float] = field(default_factory=dict)  # time by place of the error

    def do_next(self) -> bool:
        """Do the job's next task. Returns False without one, and while the job waits."""
        if time.monotonic() < self.wait_until_s:
            return False
        try:
            with TASKS.watch():
                done = (not self.is_idle or self.job.is_due()) and self.job.do_next()
        except Exception as error:
            self._record_failure(error)
            return False
        self.failures = 0
        self.done += done
        self.is_idle = not done
        self.wait_until_s = 0.0 if done else time.monotonic() + self.job.poll_s
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

    def finish(self) -> None:
        """Finish what the job has under way. What fails now is left to its lease, as of a killed worker."""
        try:
            with TASKS.watch():
                self.job.finish()
        except Exception:
            self.failed += 1
            logger.exception("Job %s could not finish what was under way.", self.job.name)

    def wake(self) -> None:
        """Poll an empty queue again at once."""
        if not self.failures:
            self.wait_until_s = 0.0

    def _record_failure(self, error: Exception) -> None:
        """Make the job wait, and log the error once with its traceback. Raises DatabaseUnavailable for an outage."""
        if isinstance(error, OperationalError | InterfaceError) and not connection.is_usable():
            raise DatabaseUnavailable(first_line_of(error)) from error
        self.failed += 1
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


def job_names() -> list[str]:
    """Return the names of all registered jobs."""
    return list(_jobs)


def backoff(failures: int) -> timedelta:
    """Return the wait after this many failures in a row: 2 s, 4 s, 8 s, and so on up to MAX_BACKOFF_S."""
    return timedelta(seconds=min(2 ** min(failures, 20), MAX_BACKOFF_S))


def first_line_of(error: BaseException) -> str:
    """Return the type and the first line of an error: PostgreSQL's further lines quote rows and statements."""
    return ": ".join(filter(None, [type(error).__name__, str(error).partition("\n")[0].strip()]))


def place_of(error: BaseException) -> tuple[object, ...]:
    """Return the type of an error and the line that raised it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (type(error), trace and trace.tb_frame.f_code.co_filename, trace and trace.tb_lineno)


def work(
    *, stop: Event, only: Collection[str] = (), until_empty: bool = False, beat: Callable[[], bool] = lambda: False
) -> list[Attempts]:
    """Do tasks until `stop` is set, and finish the current tasks first. Returns what was done by job.

    With `until_empty`, return as soon as no task remains, leased and delayed ones included. All is then done in one
    thread, and each task makes all queues be polled. If the database is unavailable, wait for it.

    Args:
        only: names of jobs; the others are left to other workers. Default: all.
        beat: called between the tasks of the main thread. Returns False.
    """
    heartbeat = Attempts(Job(name="heartbeat", do_next=beat, has_pending=lambda: False))
    all_attempts = [Attempts(job) for job in _jobs.values() if not only or job.name in only]
    if until_empty:
        _take_turns([heartbeat, *all_attempts], stop, until_empty=True)
        return all_attempts
    threads = [
        Thread(target=_work_in_thread, args=(attempts, stop), name=attempts.job.name)
        for attempts in all_attempts
        if attempts.job.own_thread
    ]
    for thread in threads:
        thread.start()
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        _take_turns([heartbeat, *(one for one in all_attempts if not one.job.own_thread)], stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(switch_s)
    return all_attempts


def _work_in_thread(attempts: Attempts, stop: Event) -> None:
    """Do one job. Should its thread end, the worker ends, and its supervisor starts another."""
    try:
        _take_turns([attempts], stop)
    except Exception:
        logger.exception("The thread of job %s ended, so the worker stops.", attempts.job.name)
    finally:
        stop.set()
        connection.close()


def _take_turns(jobs: Iterable[Attempts], stop: Event, *, until_empty: bool = False) -> None:
    """Do one task of each job in turn, so that a long queue doesn't delay the others. Finish what is under way then."""
    jobs = list(jobs)
    _take_turns_until_stopped(jobs, stop, until_empty=until_empty)
    for job in jobs:
        job.finish()


def _take_turns_until_stopped(jobs: Sequence[Attempts], stop: Event, *, until_empty: bool) -> None:
    renew_at_s = time.monotonic() + RENEW_CONNECTION_S
    soon_until_s = 0.0
    while not stop.is_set():
        try:
            done = {job.job.name for job in jobs if job.do_next()}
            if done:
                soon_until_s = time.monotonic() + LATELY_S
                for job in jobs:
                    if until_empty or not done.isdisjoint(job.job.after):
                        job.wake()
                continue
            if until_empty and not any(job.has_pending() for job in jobs):
                return
        except DatabaseUnavailable as error:
            _wait_for_database(error, stop)
        if time.monotonic() >= renew_at_s:
            close_old_connections()
            renew_at_s = time.monotonic() + RENEW_CONNECTION_S
        stop.wait(SOON_S if time.monotonic() < soon_until_s else IDLE_S)


def _wait_for_database(error: DatabaseUnavailable, stop: Event) -> None:
    """Wait longer after each failed connection. The beginning and the end are logged."""
    logger.error("The database is unavailable (%s). The worker waits for it.", error)
    wait_s = IDLE_S
    while not stop.wait(wait_s):
        wait_s = min(2 * wait_s, MAX_OUTAGE_WAIT_S)
        connection.close()
        try:
            connection.ensure_connection()
        except (OperationalError, InterfaceError):
            continue
        logger.info("The database is available again.")
        return

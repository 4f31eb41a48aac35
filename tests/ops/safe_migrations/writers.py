"""Writers at full speed, each a process with a connection of its own, and how long each of their writes took."""

import math
import multiprocessing
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

import psycopg2
from django.db import connection

MEASURED = "MIGRATE_ROWS" in os.environ
# Who holds a lock may be late for want of a processor: what is promised, 100 ms, is measured on a machine with nothing
# else to do. Among other tests it is enough that nobody waits for as long as the transactions in the way are open.
BOUND_MS = 100 if MEASURED else 1000
IN_THE_WAY_S = 2.5
PROCESSES = 3
SAMPLE_S = 0.002


@dataclass
class Figures:
    """Milliseconds. `lock_wait_ms` is the longest wait for a lock that was seen; `failures` are PostgreSQL's words."""

    latencies_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lock_wait_ms: float = 0.0

    def percentile(self, share):
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)]

    def __str__(self):
        return (
            f"{len(self.latencies_ms):>8,} writes, {len(self.failures)} failed; median {self.percentile(0.5):.2f} ms,"
            f" p99 {self.percentile(0.99):.2f}, p99.9 {self.percentile(0.999):.2f}, longest {self.percentile(1):.1f};"
            f" longest wait for a lock {self.lock_wait_ms:.1f} ms"
        )


@contextmanager
def writers(statements, *, pause):
    """Inside, each process runs these in turn, each a transaction of its own, with `pause` seconds in between. The
    figures are complete at the end.

    `{row}` in a statement is the number of the process: whoever writes the same row waits for the other, migration or
    not. PostgreSQL is the judge of waiting: it cancels a write that waits for one lock longer than the bound, so that
    what is late for want of a processor is not mistaken for it.
    """
    context, figures = multiprocessing.get_context("spawn"), Figures()
    stop, ready, results = context.Event(), context.Barrier(PROCESSES + 1), context.SimpleQueue()
    parameters = connection.get_connection_params()
    parameters = {name: parameters[name] for name in parameters if name not in ("cursor_factory",)}
    processes = [
        context.Process(
            target=_write, args=[parameters, [s.format(row=n) for s in statements], ready, stop, results, pause]
        )
        for n in range(PROCESSES)
    ]
    watching = Event()
    watcher = Thread(target=_watch_locks, args=[parameters, figures, watching])
    for each in (*processes, watcher):
        each.start()
    try:
        ready.wait(timeout=60)
        yield figures
    finally:
        stop.set()
        for _ in processes:
            latencies, failures = results.get()
            figures.latencies_ms += latencies
            figures.failures += failures
        for process in processes:
            process.join(timeout=30)
        watching.set()
        watcher.join(timeout=30)


def measure(statements, *, seconds, pause):
    """The same without anything in their way: what this machine's own noise is."""
    with writers(statements, pause=pause) as figures:
        time.sleep(seconds)
    return figures


def _write(parameters, statements, ready, stop, results, pause):
    latencies, failures = [], []
    session = _connect(parameters, application_name="writer")
    cursor = session.cursor()
    cursor.execute(f"SET lock_timeout = '{BOUND_MS}ms'")
    ready.wait(timeout=60)
    while not stop.is_set():
        for statement in statements:
            begun = time.perf_counter()
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                failures.append(str(error).strip())
            latencies.append(1000 * (time.perf_counter() - begun))
            if pause:
                time.sleep(pause)
    session.close()
    results.put((latencies, failures))


def _watch_locks(parameters, figures, stop):
    session = _connect(parameters, application_name="lock watcher")
    cursor = session.cursor()
    while not stop.wait(SAMPLE_S):
        cursor.execute(
            """
            SELECT 1000 * extract(epoch FROM max(clock_timestamp() - waitstart))::float
            FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND application_name = 'writer'
            """
        )
        figures.lock_wait_ms = max(figures.lock_wait_ms, cursor.fetchone()[0] or 0)
    session.close()


def _connect(parameters, application_name):
    session = psycopg2.connect(**parameters, application_name=application_name)
    session.autocommit = True
    session.cursor().execute("SET crm.all_companies = 'on'")
    return session

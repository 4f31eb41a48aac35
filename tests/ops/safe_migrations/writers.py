"""Writers in processes of their own, and the failures and latencies of their writes."""

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
# PostgreSQL cancels a write that waits longer for one lock. 100 ms can be promised only on an idle machine. Among other
# tests the limit is far above lock_timeout of migrate_safely, so that a late process is not mistaken for a blocked one.
LOCK_TIMEOUT_MS = 100 if MEASURED else 20_000
PAUSE_S = 0 if MEASURED else 0.01  # among other tests, a processor is left for the migration
PROCESSES = 3
SAMPLE_S = 0.02
# Tables only: the end of DROP INDEX CONCURRENTLY locks the index for an instant. Sessions only: an autovacuum that cuts
# off the empty end of a table gives way to a writer. Whole relations only: writers wait for each other's rows ("tuple")
# and for each other's new pages ("extend").
BLOCKED_WRITERS = """
    SELECT a.query FROM pg_stat_activity a JOIN pg_locks w USING (pid)
    JOIN pg_class t ON t.oid = w.relation AND t.relkind = 'r'
    JOIN pg_locks h ON h.pid = ANY (pg_blocking_pids(w.pid)) AND h.relation = w.relation
    JOIN pg_stat_activity b ON b.pid = h.pid AND b.backend_type = 'client backend'
    WHERE a.application_name = 'writer' AND NOT w.granted AND h.granted
        AND w.locktype = 'relation' AND h.locktype = 'relation'
        AND h.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


@dataclass
class Writes:
    """Writes of all processes. `rounds` and `failed` are counted while they run, the lists are complete at the end."""

    rounds: list
    failed: object
    latencies_ms: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    """Statements seen waiting for a table lock that another session held."""

    def have_gone_on(self):
        """Return a condition: each process has finished two more rounds, or a write has failed."""
        before = []

        def condition():
            now = [rounds.value for rounds in self.rounds]
            before.append(now)
            return self.failed.value or all(new >= old + 2 for new, old in zip(now, before[0], strict=True))

        return condition

    def percentile(self, share):
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)]

    def __str__(self):
        return (
            f"{len(self.latencies_ms):>8,} writes, {len(self.failures)} failed; median {self.percentile(0.5):.2f} ms,"
            f" p99 {self.percentile(0.99):.2f}, p99.9 {self.percentile(0.999):.2f}, longest {self.percentile(1):.1f} ms"
        )


@contextmanager
def writers(statements, *, lock_timeout_ms=LOCK_TIMEOUT_MS):
    """Run these statements in turn in each process, each in its own transaction.

    `{row}` in a statement is the number of the process: writers of one row would wait for each other.
    """
    context = multiprocessing.get_context("spawn")
    stop, ready, results = context.Event(), context.Barrier(PROCESSES + 1), context.SimpleQueue()
    writes = Writes([context.Value("i", 0) for _ in range(PROCESSES)], context.Value("i", 0))
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    session = parameters | {"options": f"-c lock_timeout={lock_timeout_ms} -c crm.all_companies=on"}
    processes = [
        context.Process(
            target=_write,
            args=[session, [s.format(row=n) for s in statements], ready, stop, results, rounds, writes.failed],
        )
        for n, rounds in enumerate(writes.rounds)
    ]
    watched = Event()
    watcher = Thread(target=_watch_locks, args=[parameters, writes, watched])
    for each in (*processes, watcher):
        each.start()
    try:
        ready.wait(timeout=300)
        yield writes
    finally:
        stop.set()
        for _ in processes:
            latencies, failures = results.get()
            writes.latencies_ms += latencies
            writes.failures += failures
        for process in processes:
            process.join(timeout=300)
        watched.set()
        watcher.join(timeout=300)


def _write(parameters, statements, ready, stop, results, rounds, failed):
    latencies, failures = [], []
    session = _connect(parameters, "writer")
    cursor = session.cursor()
    ready.wait(timeout=300)
    while not stop.is_set():
        for statement in statements:
            begun = time.perf_counter()
            try:
                cursor.execute(statement)
            except psycopg2.Error as error:
                failures.append(str(error).strip())
                failed.value = 1
            latencies.append(1000 * (time.perf_counter() - begun))
            time.sleep(PAUSE_S)
        rounds.value += 1
    session.close()
    results.put((latencies, failures))


def _watch_locks(parameters, writes, stop):
    session = _connect(parameters, "lock watcher")
    cursor = session.cursor()
    while not stop.wait(SAMPLE_S):
        cursor.execute(BLOCKED_WRITERS)
        writes.blocked |= {query for (query,) in cursor.fetchall()}
    session.close()


def _connect(parameters, application_name):
    session = psycopg2.connect(**parameters, application_name=application_name)
    session.autocommit = True
    return session

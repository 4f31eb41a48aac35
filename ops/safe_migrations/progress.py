"""Progress of a running migration and the sessions that block it, read by a second session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

from django.db import OperationalError, connections

from crm.db.index_operations import INDEX_BUILD_LOCK_ID

POLL_S = 0.2

# For sessions of other roles, PostgreSQL shows application_name but not xact_start.
SESSIONS = """
    SELECT pid, application_name, coalesce(state, ''), extract(epoch FROM now() - xact_start)::float
    FROM pg_stat_activity WHERE pid <> %(pid)s AND pid = ANY(%(pids)s) ORDER BY xact_start NULLS LAST LIMIT 1
"""
BLOCKING_PIDS = """
    SELECT array_agg(pid) FROM (
        SELECT unnest(pg_blocking_pids(%s))
        UNION SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = %s
    ) found (pid)
"""
HOLDER_PIDS = "SELECT array_agg(pid) FROM pg_locks WHERE granted AND relation::regclass::text = ANY(%s)"
INDEX_BUILD = """
    SELECT coalesce(i.relname, ''), p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total
    FROM pg_stat_progress_create_index p LEFT JOIN pg_class i ON i.oid = p.index_relid WHERE p.pid = %s
"""


@dataclass(frozen=True)
class Blocker:
    """A session whose transaction must end first."""

    pid: int
    application: str
    state: str
    seconds: float | None

    def __str__(self) -> str:
        named = f" ({self.application})" if self.application else ""
        since = "" if self.seconds is None else f", its transaction open for {self.seconds:.0f} s"
        return f"session {self.pid}{named}{since}{', ' + self.state if self.state.startswith('idle') else ''}"


@dataclass(frozen=True)
class Progress:
    """Progress of an index build in blocks or rows, and the session that blocks it."""

    index: str
    phase: str
    done: int
    total: int
    blocker: Blocker | None


@contextmanager
def watch(alias: str, show: Callable[[Progress], None]) -> Iterator[None]:
    """Call `show` from a thread, several times a second, while the session of `alias` builds or waits."""
    if connections[alias].vendor != "postgresql":
        yield
        return
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    stop = Event()
    thread = Thread(target=_poll, args=[alias, pid, show, stop], daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def find_oldest_session(alias: str, tables: list[str]) -> Blocker | None:
    """Return the other session with locks on these tables whose transaction is the oldest."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        cursor.execute(HOLDER_PIDS, [tables])
        return _oldest(cursor, cursor.fetchone()[0], pid)


def _poll(alias: str, pid: int, show: Callable[[Progress], None], stop: Event) -> None:
    connection = connections[alias]  # a connection of this thread
    try:
        while not stop.wait(POLL_S):
            with connection.cursor() as cursor:
                if progress := _read_progress(cursor, pid):
                    show(progress)
    except OperationalError:
        pass  # no free connection: the build continues without a progress display
    finally:
        connection.close()


def _read_progress(cursor: Any, pid: int) -> Progress | None:
    cursor.execute(BLOCKING_PIDS, [pid, INDEX_BUILD_LOCK_ID])
    blocker = _oldest(cursor, cursor.fetchone()[0], pid)
    cursor.execute(INDEX_BUILD, [pid])
    if building := cursor.fetchone():
        index, phase, blocks_done, blocks_total, rows_done, rows_total = building
        done, total = (blocks_done, blocks_total) if blocks_total else (rows_done, rows_total)
        return Progress(index, phase, done, total, blocker)
    return Progress("", "waiting", 0, 0, blocker) if blocker else None


def _oldest(cursor: Any, pids: list[int] | None, pid: int) -> Blocker | None:
    """Return the session with the oldest transaction among these, without `pid`."""
    cursor.execute(SESSIONS, {"pids": pids or [], "pid": pid})
    row = cursor.fetchone()
    return Blocker(*row) if row else None

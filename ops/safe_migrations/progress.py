"""Progress of a running migration and the sessions that block it, read by a second session."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from django.db import OperationalError, connections

from crm.db.index_operations import INDEX_BUILD_LOCK_ID
from crm.management.progress import ProgressBar

POLL_S = 0.2
BUILDING, WAITING = "{desc} {percentage:3.0f}%|{bar}| [{elapsed}]", "{desc} [{elapsed}]"

# For sessions of other roles, PostgreSQL shows application_name but not xact_start.
SESSIONS = """
    SELECT pid, application_name, coalesce(state, ''), extract(epoch FROM now() - xact_start)::float
    FROM pg_stat_activity WHERE pid <> %(pid)s AND pid = ANY(%(pids)s) ORDER BY xact_start NULLS LAST LIMIT 1
"""
# The sessions that block session %s, and those with advisory lock %s.
BLOCKING_PIDS = """
    SELECT array_agg(pid) FROM (
        SELECT unnest(pg_blocking_pids(%s))
        UNION SELECT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32 | objid::bigint) = %s
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ) found (pid)
"""
HOLDER_PIDS = "SELECT array_agg(pid) FROM pg_locks WHERE granted AND relation::regclass::text = ANY(%s)"
INDEX_BUILD = """
    SELECT coalesce(i.relname, ''), p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total
    FROM pg_stat_progress_create_index p LEFT JOIN pg_class i ON i.oid = p.index_relid WHERE p.pid = %s
"""


@contextmanager
def build_progress_bar(alias: str, *, disable: bool = False) -> Iterator[ProgressBar]:
    """Show a bar while the session of `alias` builds an index or waits, updated by a thread several times a second.

    Where stderr is no terminal, a line names each session that the build waits for.
    """
    with ProgressBar(disable=disable, leave=False, bar_format=WAITING) as bar:
        if connections[alias].vendor != "postgresql":
            yield bar
            return
        stop = Event()
        thread = Thread(target=_poll, args=[alias, _read_pid(alias), bar, stop, disable], daemon=True)
        thread.start()
        try:
            yield bar
        finally:
            stop.set()
            thread.join()


def describe_oldest_session(alias: str, tables: list[str]) -> str:
    """Describe the other session with locks on these tables whose transaction is the oldest; empty if there is none."""
    with connections[alias].cursor() as cursor:
        cursor.execute(HOLDER_PIDS, [tables])
        return _describe_oldest(cursor, cursor.fetchone()[0], _read_pid(alias))


def describe_lock_holder(alias: str, lock_id: int) -> str:
    """Describe the other session with this advisory lock; empty if there is none."""
    with connections[alias].cursor() as cursor:
        pid = _read_pid(alias)
        cursor.execute(BLOCKING_PIDS, [pid, lock_id])
        return _describe_oldest(cursor, cursor.fetchone()[0], pid)


def _read_pid(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid: int = cursor.fetchone()[0]
    return pid


def _poll(alias: str, pid: int, bar: ProgressBar, stop: Event, silent: bool) -> None:
    connection = connections[alias]  # a connection of this thread
    named = ""
    try:
        while not stop.wait(POLL_S):
            with connection.cursor() as cursor:
                blocker = _show_progress(cursor, pid, bar)
            if bar.disable and not silent and blocker and blocker.partition(",")[0] != named:
                named = blocker.partition(",")[0]
                print(bar.desc, file=sys.stderr, flush=True)
    except OperationalError:
        pass  # no free connection: the build continues without a progress display
    finally:
        connection.close()


def _show_progress(cursor: Any, pid: int, bar: ProgressBar) -> str:
    """Show the progress of an index build in blocks or rows. Returns the session that must end first, if any."""
    cursor.execute(BLOCKING_PIDS, [pid, INDEX_BUILD_LOCK_ID])
    blocker = _describe_oldest(cursor, cursor.fetchone()[0], pid)
    cursor.execute(INDEX_BUILD, [pid])
    building = cursor.fetchone()
    if not (building or blocker):
        return ""
    index, phase, blocks, all_blocks, rows, all_rows = building or ("", "waiting", 0, 0, 0, 0)
    bar.n, bar.total = (blocks, all_blocks) if all_blocks else (rows, all_rows or None)
    bar.bar_format = BUILDING if bar.total else WAITING
    bar.desc = f"{index} {phase}{' for ' + blocker if blocker else ''}".strip()
    bar.refresh()
    return blocker


def _describe_oldest(cursor: Any, pids: list[int] | None, pid: int) -> str:
    """Describe the session with the oldest transaction among these, without `pid`."""
    cursor.execute(SESSIONS, {"pids": pids or [], "pid": pid})
    for session, application, state, seconds in cursor.fetchall():
        named = f" ({application})" if application else ""
        since = "" if seconds is None else f", its transaction open for {seconds:.0f} s"
        return f"session {session}{named}{since}{', ' + state if state.startswith('idle') else ''}"
    return ""

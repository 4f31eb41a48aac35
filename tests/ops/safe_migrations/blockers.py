"""Transactions that block a migration."""

from contextlib import ExitStack, contextmanager
from threading import Thread

from tests.db.scratch import another_session, wait_until


@contextmanager
def blocking_transactions(*statements, until):
    """Hold a transaction open for each statement until a session has waited for one and `until` returns true."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(another_session()) for _ in statements]
        for cursor, statement in zip(sessions, statements, strict=True):
            cursor.execute("SET application_name = 'long report'; SET crm.all_companies = 'on'")
            cursor.execute(statement)
        ending = Thread(target=_end, args=[sessions, until])
        ending.start()
        try:
            yield
        finally:
            ending.join()


def _end(sessions, until):
    pids = [cursor.connection.get_backend_pid() for cursor in sessions]

    def waited_for():
        watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_blocking_pids(pid) && %s", [pids])
        return watcher.fetchone()[0]

    try:
        with another_session() as watcher:
            watcher.connection.autocommit = True
            wait_until(waited_for)
            wait_until(until)
    finally:
        for cursor in sessions:
            cursor.connection.rollback()

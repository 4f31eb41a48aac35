"""Transactions that are in a migration's way, until it has waited for them for a while."""

import time
from contextlib import ExitStack, contextmanager
from threading import Thread

from tests.db.scratch import another_session, wait_until


@contextmanager
def transactions_in_the_way(*statements, seconds=1.0):
    """A session for each statement, in a transaction that ends `seconds` after somebody has begun to wait for one."""
    with ExitStack() as stack:
        sessions = [stack.enter_context(another_session()) for _ in statements]
        for cursor, statement in zip(sessions, statements, strict=True):
            cursor.execute("SET application_name = 'long report'; SET crm.all_companies = 'on'")
            cursor.execute(statement)
        ending = Thread(target=_end_once_waited_for, args=[sessions, seconds])
        ending.start()
        try:
            yield
        finally:
            ending.join()


def _end_once_waited_for(sessions, seconds):
    pids = [cursor.connection.get_backend_pid() for cursor in sessions]

    def waited_for():
        watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_blocking_pids(pid) && %s", [pids])
        return watcher.fetchone()[0]

    with another_session() as watcher:
        watcher.connection.autocommit = True
        try:
            wait_until(waited_for, seconds=60)
            time.sleep(seconds)
        finally:
            for cursor in sessions:
                cursor.connection.rollback()

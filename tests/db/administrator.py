"""Index builds by a database administrator: a superuser, whose progress other roles don't see."""

from contextlib import contextmanager
from threading import Thread

from django.db import connection

from tests.db.scratch import another_session, wait_until
from tests.ops.index_health.databases import ask, superuser

INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


@contextmanager
def administrator_runs(statement, *, on):
    """Yield while a superuser runs a statement, which waits for an old transaction on a table; then let it end."""
    errors = []
    with superuser() as cursor, another_session() as old:
        cursor.connection.rollback()
        cursor.connection.autocommit = True
        old.execute(f"LOCK TABLE {on} IN ROW EXCLUSIVE MODE")
        before = ask(INVALID)

        def execute():
            try:
                cursor.execute(statement)
            except connection.Database.Error as error:
                errors.append(error)

        thread = Thread(target=execute)
        thread.start()
        try:
            wait_until(lambda: ask(INVALID) > before)
            yield
        finally:
            old.connection.rollback()
            thread.join()
    assert errors == []

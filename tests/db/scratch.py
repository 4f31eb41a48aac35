"""A small table for index operations, and sessions that block them."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection, models
from django.db.migrations import CreateModel

TABLE = "scratch_rows"


def declare_rows(name="Row", table=TABLE):
    return CreateModel(
        name,
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("number", models.IntegerField()),
            ("word", models.CharField(max_length=20, null=True)),
        ],
        options={"db_table": table},
    )


def run(operation, before):
    """Apply an operation as `migrate` does. Return the state after it."""
    after = before.clone()
    operation.state_forwards("crm", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("crm", editor, before, after)
    return after


def reverse(operation, before):
    """Reverse an operation that was applied to the state `before`."""
    after = before.clone()
    operation.state_forwards("crm", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("crm", editor, after, before)


def indexes_of(table=TABLE):
    """Return the table's indexes by name, without the primary key. On PostgreSQL: (oid, valid, definition)."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s", [table])
            return dict(cursor.fetchall())
        cursor.execute(
            """
            SELECT c.relname, i.indexrelid, i.indisvalid, pg_get_indexdef(i.indexrelid)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = %s::regclass AND NOT i.indisprimary
            """,
            [table],
        )
        return {name: facts for name, *facts in cursor.fetchall()}


@contextmanager
def another_session():
    """Yield the cursor of a second connection, whose transaction is rolled back at the end."""
    session = connection.Database.connect(**connection.get_connection_params())
    try:
        yield session.cursor()
    finally:
        session.close()


def in_own_session(build):
    """Call `build` in a thread, and close the connection that it opened."""
    try:
        return build()
    finally:
        connection.close()


@contextmanager
def in_the_way_of(*builders):
    """Start a transaction that writes to the table, then each builder in its own thread.

    Yields the cursor of the old transaction and the builders' futures.
    """
    # A failing test must end the old transaction before it joins the builders, which wait for the transaction.
    with ThreadPoolExecutor(max_workers=len(builders)) as pool, another_session() as old:
        old.execute(f"INSERT INTO {TABLE} (number) VALUES (9)")
        yield old, *[pool.submit(in_own_session, build) for build in builders]


def wait_until(condition):
    """Return when the condition is true. The limit is for broken code only: a busy machine may need a minute."""
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.02)


def set_in_session(**settings):
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def read_from_session(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return cursor.fetchone()[0]

"""A small table to build indexes on, the operations by hand, and other sessions to be in their way."""

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
    """Apply an operation as `migrate` does; gives the state after it."""
    after = before.clone()
    operation.state_forwards("crm", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("crm", editor, before, after)
    return after


def undo(operation, before):
    """Take an operation back that was applied on the state `before`."""
    after = before.clone()
    operation.state_forwards("crm", after)
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("crm", editor, after, before)


def standing(table=TABLE):
    """The table's indexes by name, without its primary key: (oid, valid, definition) on PostgreSQL."""
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
    """A connection of its own; what it began is rolled back at the end."""
    session = connection.Database.connect(**connection.get_connection_params())
    try:
        yield session.cursor()
    finally:
        session.close()


@contextmanager
def in_the_way_of(*builders):
    """An old transaction that wrote to the table, and the builders, each begun after it in a thread of its own.

    Gives the old session's cursor and the builders' futures.
    """

    def with_own_connection(build):
        try:
            return build()
        finally:
            connection.close()

    # A failing test must end the old transaction before it waits for the builders, which wait for that.
    with ThreadPoolExecutor(max_workers=len(builders)) as pool, another_session() as old:
        old.execute(f"INSERT INTO {TABLE} (number) VALUES (9)")
        yield old, *[pool.submit(with_own_connection, build) for build in builders]


def wait_until(condition, *, seconds=60):
    deadline = time.monotonic() + seconds
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

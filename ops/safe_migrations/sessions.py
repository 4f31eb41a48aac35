"""Sessions of commands that need one for more than a transaction, or the role that owns the tables.

Concurrent builds and locks of the session need the first.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections

from crm.db.index_operations import POLL_S
from ops.safe_migrations.progress import describe_lock_holder

MIGRATION_LOCK_ID = 7_061_959_437  # arbitrary, but no other advisory lock in the database may use it


@contextmanager
def direct_connection(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Connect as `direct_url` does.

    Raises:
        CommandError: DIRECT_DATABASE_URL is not set, and the connection passes a pooler.
    """
    with direct_url(alias):
        if alias != DEFAULT_DB_ALIAS or not settings.DIRECT_DATABASE:
            _refuse_pooler(connections[alias])
        yield


@contextmanager
def owner_connection() -> Iterator[None]:
    """Connect as `direct_url` does.

    Raises:
        CommandError: the role doesn't own the tables.
    """
    with direct_url():
        require_owner()
        yield


def require_owner(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Raise CommandError if the role doesn't own the tables, or may not create them in a new database."""
    if connections[alias].vendor != "postgresql":
        return
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT current_user, pg_get_userbyid(coalesce(relowner, datdba)),"
            " relowner IS NOT NULL AND NOT pg_has_role(relowner, 'USAGE'),"
            " relowner IS NULL AND NOT has_schema_privilege(current_schema(), 'CREATE')"
            " FROM pg_database LEFT JOIN pg_class ON pg_class.oid = to_regclass('django_migrations')"
            " WHERE datname = current_database()"
        )
        role, owner, is_foreign, is_closed = cursor.fetchone()
    if is_foreign or is_closed:
        problem = "doesn't own the tables" if is_foreign else "may not create tables"
        raise CommandError(
            f"The role {role} {problem}, and this command needs the role that does: {owner}. Set"
            f" DIRECT_DATABASE_URL to a URL of {owner}; see docs/deploying.md. Nothing was changed."
        )


@contextmanager
def direct_url(alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Connect to DIRECT_DATABASE_URL, if it is set, in every thread of this process. Other aliases stay as they are."""
    database = connections.settings[alias]  # shared by the connections of all threads
    if alias != DEFAULT_DB_ALIAS or not settings.DIRECT_DATABASE:
        yield
        return
    before = dict(database)
    connections[alias].close()
    database.update(settings.DIRECT_DATABASE)
    try:
        yield
    finally:
        connections[alias].close()
        database.update(before)


def _refuse_pooler(connection: Any) -> None:
    """Refuse PgBouncer and its like, which tell a client another process number than the server's.

    A pooler may pass each transaction to another session. The lock would stay on one that others use later.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        if cursor.fetchone()[0] != connection.connection.info.backend_pid:
            raise CommandError(
                "DATABASE_URL connects through a pooler, which may pass each transaction to another session. Set "
                "DIRECT_DATABASE_URL to the server's own address; see docs/deploying.md."
            )


@contextmanager
def migration_lock(alias: str, write: Callable[[str], Any]) -> Iterator[None]:
    """Wait until no other process migrates this PostgreSQL database, and keep others from it. `write` gets the reason.

    The lock is polled: a waiting statement would hold a snapshot, and concurrent builds wait for those.
    """
    if connections[alias].vendor != "postgresql":
        yield
        return
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK_ID])
        if not cursor.fetchone()[0]:
            holder = describe_lock_holder(alias, MIGRATION_LOCK_ID)
            write(f"Another migration is running{holder and f' in {holder}'}. Waiting for its end.")
            locked = False
            while not locked:
                time.sleep(POLL_S)
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK_ID])
                locked = cursor.fetchone()[0]
    try:
        yield
    finally:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK_ID])

"""The drop of an index that a broken build left behind on PostgreSQL, and of no other index of its name.

DROP INDEX CONCURRENTLY takes a name and runs in no transaction. Between the look at an INVALID index and its drop,
another session could rebuild it, or build a good one of its name. So the index is looked at under the lock that all
builds on a table need, and gets a name of its own under the same lock. That lock stops neither readers nor writers.
"""

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# Longer than deadlock_timeout, after which autovacuum makes way. LOCK holds no snapshot, so no build waits for it.
LOCK_TIMEOUT_MS = 3000
LOCK_NOT_AVAILABLE = "55P03"

BROKEN = """
SELECT c.oid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass AND c.relname = %s AND NOT (i.indisvalid AND i.indisready)
"""


def drop_broken_index(connection: BaseDatabaseWrapper, table: str, name: str) -> bool:
    """Drop an index if it is INVALID and no other session works on the table. Return whether it was.

    A session that begins to build after the lock's end, in the moment before the drop, knows nothing of the new name.
    At worst it and the drop wait for each other, and PostgreSQL ends one of them: the next run drops what is left.
    """
    with transaction.atomic(using=connection.alias):
        aside = _rename_under_lock(connection, table, name)
    if aside:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX CONCURRENTLY {aside}")
    return bool(aside)


def _rename_under_lock(connection: BaseDatabaseWrapper, table: str, name: str) -> str:
    """Give a broken index the name of a leftover of REINDEX, which any later maintenance drops. Return it, or ""."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        try:
            with transaction.atomic(using=connection.alias):
                cursor.execute(f"LOCK TABLE {quote(table)} IN SHARE UPDATE EXCLUSIVE MODE")
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE:
                raise
            return ""
        cursor.execute(BROKEN, [quote(table), name])
        found = cursor.fetchone()
        if found is None:
            return ""
        aside = f"dropped_{found[0]}_ccold"
        if name != aside:  # of a drop that was killed
            cursor.execute(f"ALTER INDEX {quote(name)} RENAME TO {aside}")
        # A rename needs a lock on the index alone: another session may have exchanged two names before this one.
        cursor.execute("SELECT to_regclass(%s)::oid = %s", [aside, found[0]])
        if not cursor.fetchone()[0]:
            transaction.set_rollback(True, using=connection.alias)
            return ""
    return aside

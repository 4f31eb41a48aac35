"""Advisory locks on names, for rows that don't exist yet.

They are held until the transaction ends. On SQLite nothing is locked: a writing transaction has the database to itself.
"""

import hashlib

from django.db import connection


def advisory_xact_lock(*name: object) -> None:
    """Wait for the lock on `name`.

    Two workers that write related rows lock the same name, so that the later one sees the row of the earlier one.
    """
    _call("pg_advisory_xact_lock", name)


def try_advisory_xact_lock(*name: object) -> bool:
    """Take the lock on `name` without waiting. Return whether it was free."""
    return _call("pg_try_advisory_xact_lock", name) is not False


def _call(function: str, name: tuple[object, ...]) -> object:
    if connection.vendor != "postgresql":
        return None
    digest = hashlib.sha256(repr(name).encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [int.from_bytes(digest[:8], signed=True)])
        return cursor.fetchone()[0]

"""Advisory locks on names, for rows that don't exist yet.

They are held until the transaction ends. On SQLite nothing is locked: a writing transaction has the database to itself.
"""

import hashlib
from collections.abc import Iterable

from django.db import connection

Name = tuple[object, ...]


def advisory_xact_locks(names: Iterable[Name]) -> None:
    """Wait for the locks on these names.

    Two workers that write related rows lock the same name, so that the later one sees the row of the earlier one. The
    names are locked in the same order everywhere, so that two workers don't deadlock.
    """
    if keys := sorted(map(_key_of, names)):
        _call("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) key", keys)


def try_advisory_xact_lock(*name: object) -> bool:
    """Take the lock on `name` without waiting. Return whether it was free."""
    return _call("SELECT pg_try_advisory_xact_lock(%s)", _key_of(name)) is not False


def _key_of(name: Name) -> int:
    return int.from_bytes(hashlib.sha256(repr(name).encode()).digest()[:8], signed=True)


def _call(sql: str, keys: int | list[int]) -> object:
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(sql, [keys])
        return cursor.fetchone()[0]

"""Locks on what has no row yet."""

import hashlib

from django.db import connection


def advisory_xact_lock(*name: object) -> None:
    """Wait for whoever holds this name, and hold it until the transaction ends.

    For two rows that are written by different workers and must find each other, whichever comes first: neither is
    there to be locked. On SQLite a transaction is alone with the database anyway.
    """
    if connection.vendor == "postgresql":
        digest = hashlib.sha256(repr(name).encode()).digest()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], signed=True)])

"""Counters of events in the current minute, shared by all processes.

Django's cache can't count: its get and set race, and the in-memory cache belongs to one process. The table has no
model. Its rows are worthless after a minute, so on PostgreSQL it is UNLOGGED, which spares each request a disk write.
"""

import time

from django.db import connection

from crm.db.postgres_operations import CreateUnloggedTable

TABLE = "minute_counters"
COLUMNS = "key varchar(100) PRIMARY KEY, minute bigint NOT NULL, count bigint NOT NULL"
MINUTE = 60


def count_up_sql(key: str, minute: str) -> str:
    """Return the statement that counts an event, with SQL of the key and the present minute. It returns the count.

    It locks the row, so two simultaneous events get different counts.
    """
    return f"""
        INSERT INTO {TABLE} AS counter_row (key, minute, count) VALUES ({key}, {minute}, 1)
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN counter_row.minute = excluded.minute THEN counter_row.count + 1 ELSE 1 END,
            minute = excluded.minute
        RETURNING count"""  # noqa: S608  # constants of the product


class CreateMinuteCounters(CreateUnloggedTable):
    """Create the table of the counters. Frozen into migrations."""

    table, columns = TABLE, COLUMNS
    storage = "WITH (fillfactor = 50)"  # most writes are HOT updates


def count_up(key: str) -> int:
    """Count one event for `key`. Return the count in this minute of the clock, the event included."""
    with connection.cursor() as cursor:
        cursor.execute(count_up_sql("%s", "%s"), [key, present_minute()])
        return cursor.fetchone()[0]


def is_first_use(key: str) -> bool:
    """Return whether the key was not used in the last minute. The key must be one of its own, never to be counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (key, minute, count) VALUES (%s, %s, 1) ON CONFLICT (key) DO NOTHING RETURNING count",  # noqa: S608  # a constant
            [key, present_minute()],
        )
        return cursor.fetchone() is not None


def present_minute() -> int:
    return int(time.time() // MINUTE)


def seconds_left() -> int:
    """Return the seconds until the minute ends, at least 1."""
    return MINUTE - int(time.time() % MINUTE)


def remove_past_minutes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE minute < %s", [present_minute() - 1])  # noqa: S608  # a constant

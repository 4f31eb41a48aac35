"""Counting how often something was done this minute, over all processes, in one statement a time.

A cache can't do it: Django's get and set race, and the in-memory one counts in each process for itself. The table is no
model's: it holds no one's data and is worth nothing after a minute. So on PostgreSQL it is UNLOGGED, which takes the
write-ahead log, and the wait for the disk, off every request.
"""

import time

from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

TABLE = "minute_counters"
MINUTE = 60


class CreateMinuteCounters(Operation):
    """The table of `count_up`, frozen into migrations."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """No model, so nothing that `makemigrations` would have to know."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        kind = "UNLOGGED TABLE" if schema_editor.connection.vendor == "postgresql" else "TABLE"
        schema_editor.execute(
            f"CREATE {kind} {TABLE} (key varchar(100) PRIMARY KEY, minute bigint NOT NULL, count bigint NOT NULL)"
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        schema_editor.execute(f"DROP TABLE {TABLE}")

    def describe(self) -> str:
        return f"Create {TABLE}"


def count_up(key: str) -> int:
    """Count one more for `key`, and return how many it makes in this minute of the clock, this one included."""
    with connection.cursor() as cursor:
        # The row is locked while it is written, so of two at once each gets a number of its own.
        cursor.execute(
            f"""
            INSERT INTO {TABLE} (key, minute, count) VALUES (%s, %s, 1)
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN {TABLE}.minute = excluded.minute THEN {TABLE}.count + 1 ELSE 1 END,
                minute = excluded.minute
            RETURNING count
            """,  # noqa: S608  # the name is a constant of this module
            [key, int(time.time() // MINUTE)],
        )
        return cursor.fetchone()[0]


def seconds_left() -> int:
    """Until the minute ends: at least 1."""
    return MINUTE - int(time.time() % MINUTE)


def remove_past_minutes() -> None:
    """Addresses come and go; their counters are worth nothing once the minute is over."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE} WHERE minute < %s", [int(time.time() // MINUTE) - 1])  # noqa: S608  # a constant

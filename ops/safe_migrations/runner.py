"""Migration runs with a short lock timeout and retries.

A statement that waits for a lock blocks all sessions behind it, even those that do not conflict with the holder.
PostgreSQL's lock_timeout bounds that wait. A migration that timed out is run again as a whole. An atomic one was rolled
back; the operations of crm.db that are not atomic continue where they stopped.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import OperationalError, connections
from django.db.migrations import Migration

from ops.safe_migrations.formatting import show_seconds
from ops.safe_migrations.progress import describe_oldest_session

FIRST_PAUSE_S, MAX_PAUSE_S = 0.25, 15.0
RETRIED_CODES = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


class LockRetryTimeout(Exception):
    """A migration could not acquire its lock within --patience. The ones before it are applied; it was rolled back."""


def run_migrations(
    *,
    target: list[str],
    alias: str,
    tables: list[str],
    lock_timeout_ms: int,
    patience_s: float,
    show: Callable[[str], None],
    write: Callable[[str], None],
) -> None:
    """Run `migrate` until all is applied.

    `show` gets the name of each migration that starts, `write` a line for each that ends, and for each try without the
    lock: the session that uses one of the `tables`.

    Raises:
        LockRetryTimeout: a migration tried for `patience_s` seconds.
    """
    current, tries, begun = "", 0, time.monotonic()

    def report(action: str, migration: Migration | None = None, fake: bool = False) -> None:  # noqa: ARG001  # Django's
        nonlocal current, tries, begun
        if action.endswith("_start") and migration and str(migration) != current:
            current, tries, begun = str(migration), 0, time.monotonic()
            show(current)
        elif action.endswith("_success") and migration:
            write(f"{current}: done in {show_seconds(time.monotonic() - begun)}.")

    command = Migrate()
    command.migration_progress_callback = report  # type: ignore[method-assign]
    while True:
        try:
            with _lock_timeout(alias, lock_timeout_ms):
                call_command(command, *target, database=alias, interactive=False, verbosity=0)
            return
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) not in RETRIED_CODES:
                raise
            tries += 1
            # Random, because a blocking transaction may come back at regular times.
            pause = min(FIRST_PAUSE_S * 2 ** (tries - 1), MAX_PAUSE_S) * random.uniform(0.5, 1.5)  # noqa: S311
            if time.monotonic() - begun + pause > patience_s:
                raise LockRetryTimeout(
                    f"{current} could not acquire the lock within --patience ({tries} tries). It was rolled back."
                ) from error
            session = describe_oldest_session(alias, tables)
            in_use = f"; in use by {session}" if session else ""
            write(f"{current}: no lock within {lock_timeout_ms} ms{in_use}. Try {tries + 1} in {pause:.1f} s.")
            time.sleep(pause)


@contextmanager
def _lock_timeout(alias: str, milliseconds: int) -> Iterator[None]:
    """Set lock_timeout for the session. Concurrent builds switch it off, as they block no session."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{milliseconds}ms"])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")

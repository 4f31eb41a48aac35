"""Running migrations so that nobody waits for long: a step that doesn't get its lock soon lets go, and tries later.

A statement that waits for a lock keeps everybody waiting who comes after it, even those who could share the table with
whoever is in its way. PostgreSQL's lock_timeout bounds that. What gave up is run again as a whole: an atomic migration
left nothing behind, and the operations of crm.db that are not atomic carry on where they stopped.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.management import call_command
from django.core.management.commands.migrate import Command as Migrate
from django.db import OperationalError, connections
from django.db.migrations import Migration

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 15.0
WORTH_ANOTHER_TRY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


class LockRetryTimeout(Exception):
    """A migration did not get its lock for as long as it was to try. Those before it are applied, it left nothing."""


@dataclass(frozen=True)
class Retry:
    """A try that ended without the lock, and the seconds until the next."""

    migration: str
    tries: int
    pause: float


class _Reporting(Migrate):
    """Django's own `migrate`, which says where it is."""

    def __init__(self, report: Callable[[str, Migration | None], None]) -> None:
        super().__init__()
        self.report = report

    def migration_progress_callback(
        self,
        action: str,
        migration: Migration | None = None,
        fake: bool = False,
    ) -> None:
        self.report(action, migration)


def run_migrations(
    *,
    target: list[str],
    alias: str,
    lock_timeout_ms: int,
    patience_s: float,
    started: Callable[[str], None],
    finished: Callable[[str, float], None],
    gave_up: Callable[[Retry], None],
) -> None:
    """`migrate` with these arguments, over and over, until all is done. It says which migration starts, which one has
    finished after how many seconds, its other tries included, and which gave up for a while.

    Raises:
        LockRetryTimeout: one tried for `patience_s` seconds.
    """
    current, tries, begun = "", 0, time.monotonic()

    def report(action: str, migration: Migration | None) -> None:
        nonlocal current, tries, begun
        if migration is None:
            return
        if action.endswith("_start") and str(migration) != current:
            current, tries, begun = str(migration), 0, time.monotonic()
            started(current)
        elif action.endswith("_success"):
            finished(current, time.monotonic() - begun)

    while True:
        try:
            with _lock_timeout(alias, lock_timeout_ms):
                call_command(_Reporting(report), *target, database=alias, interactive=False, verbosity=0)
            return
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) not in WORTH_ANOTHER_TRY:
                raise
            tries += 1
            # With chance in it: what is in the way may come back at regular times.
            pause = min(FIRST_PAUSE_S * 2 ** (tries - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1.5)  # noqa: S311
            if time.monotonic() - begun + pause > patience_s:
                raise LockRetryTimeout(
                    f"{current} did not get its lock in {tries} tries. Nothing of it is left."
                ) from error
            gave_up(Retry(current, tries, pause))
            time.sleep(pause)


@contextmanager
def _lock_timeout(alias: str, milliseconds: int) -> Iterator[None]:
    """For the session. Concurrent builds lift it for themselves: they keep nobody waiting."""
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

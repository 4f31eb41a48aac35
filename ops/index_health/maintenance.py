"""Index maintenance during normal traffic: drop leftovers, refresh statistics, rebuild bloated indexes one by one.

No progress is stored. Each run asks the database which tasks remain, so a run continues after one that was killed.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from datetime import time as clock
from time import monotonic
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.timezone import now

from crm.db.broken_indexes import drop_broken_index
from crm.db.index_operations import POLL_S, exclusive_build_lock
from ops.index_health import checks, remediation
from ops.index_health.catalog import Database, read_database
from ops.index_health.catalog.postgresql import fetch
from ops.index_health.checks import bloat, drift, vacuum_stats
from ops.index_health.findings import Finding, FindingKind, SkippedCheck

QUIET_POLL_S = 1
BUSY = "left for the next run, because another session holds a lock on the table"

ACTIVE_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()
"""


class WindowClosed(Exception):
    """The maintenance window is closed."""


class TooBusy(Exception):
    """Too many sessions were active for the whole time that a task may wait."""


@dataclass(frozen=True)
class MaintenanceWindow:
    """The time of day in `zone` from `start` until before `end`, over midnight if `end` is earlier."""

    start: clock
    end: clock
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        at = moment.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


@dataclass(frozen=True)
class Limits:
    """Conditions for starting a task, which waits up to `patience_s` until at most `max_active` sessions are active."""

    window: MaintenanceWindow | None = None
    max_active: int | None = None
    patience_s: float = 600


def plan_maintenance(*, database: Database) -> tuple[list[Finding], list[SkippedCheck]]:
    """Return the tasks, quick ones first, then the rebuilds by the bytes that they free, and the skipped checks."""
    findings, skipped = checks.run((drift.find, vacuum_stats.find, bloat.find), database)
    leftovers = [one for one in findings if one.kind is FindingKind.INVALID and drift.is_leftover(one.index)]
    stale = [one for one in findings if one.kind is FindingKind.STALE_STATISTICS]
    bloated = [one for one in findings if one.kind is FindingKind.BLOAT]
    return [*leftovers, *stale, *sorted(bloated, key=lambda one: -one.reclaimable_bytes)], skipped


def maintain_indexes(*, tasks: Sequence[Finding], limits: Limits) -> Iterator[tuple[Finding, str]]:
    """Run the tasks, never during a migration that builds an index. Such a migration waits for one task at most.

    Yields each task with its outcome. A task on a table that another session works on is left out: both would wait for
    each other, and PostgreSQL would end one of them.

    Raises:
        WindowClosed, TooBusy: before a task. Finished tasks stay finished.
    """
    for task in tasks:
        _wait_until_quiet(limits)
        with connection.schema_editor(atomic=False) as editor, exclusive_build_lock(editor):
            _check_window(limits)  # waiting for another build may have taken long
            outcome = _run(task)
        yield task, outcome
        time.sleep(2 * POLL_S)  # lets a waiting migration take the lock


def _run(task: Finding) -> str:
    """Run the task if it is still planned: another run may have done it, or the index may be gone."""
    database, begin = read_database(), monotonic()
    if (table := database.tables.get(task.table)) and table.busy:
        return BUSY
    database = replace(
        database,
        tables={name: table for name, table in database.tables.items() if name == task.table},
        indexes={name: index for name, index in database.indexes.items() if name == task.index},
    )
    tasks, _ = plan_maintenance(database=database)
    if all(planned.remedy != task.remedy for planned in tasks):
        return "no longer needed"
    index = database.indexes.get(task.index)
    if index and task.remedy == remediation.drop(database, index):
        if not drop_broken_index(connection, task.table, task.index):
            return BUSY
    else:  # harmless whatever happens to the index or table meanwhile
        with connection.cursor() as cursor:
            cursor.execute(task.remedy)
    return f"{monotonic() - begin:.1f} s"


def _wait_until_quiet(limits: Limits) -> None:
    deadline = monotonic() + limits.patience_s
    _check_window(limits)
    while limits.max_active is not None and (active := fetch(connection, ACTIVE_SESSIONS)[0][0]) > limits.max_active:
        if monotonic() >= deadline:
            raise TooBusy(
                f"{active} sessions were active for {limits.patience_s:.0f} s; --max-active allows {limits.max_active}."
            )
        time.sleep(QUIET_POLL_S)
        _check_window(limits)


def _check_window(limits: Limits) -> None:
    window = limits.window
    if window and not window.is_open(now()):
        raise WindowClosed(
            f"It is {now().astimezone(window.zone):%H:%M}, outside the window of {window.start:%H:%M} to"
            f" {window.end:%H:%M} ({window.zone})."
        )

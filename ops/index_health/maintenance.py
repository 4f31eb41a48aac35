"""Upkeep beside the daily traffic: leftovers dropped, statistics renewed, bloated indexes built anew, one at a time.

Nothing is kept of what was done. Each time the database itself says what there is to do, so a run that was killed is
carried on by the next one.
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

from crm.db.index_operations import POLL_S, exclusive_build_lock
from ops.index_health.catalog import Database, read_database
from ops.index_health.checks import bloat, drift, vacuum_stats
from ops.index_health.findings import Finding, FindingKind

QUIET_POLL_S = 1

ACTIVE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()
"""


class WindowClosed(Exception):
    """The time of day in which work may begin is over, or has not come."""


class TooBusy(Exception):
    """The database had no quiet moment for as long as we were to wait."""


@dataclass(frozen=True)
class MaintenanceWindow:
    """From `start` until before `end` by the clocks of `zone`, over midnight where `end` is the earlier one."""

    start: clock
    end: clock
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        at = moment.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


@dataclass(frozen=True)
class Bounds:
    """When work may begin: within the window, and with at most so many of this role's sessions active."""

    window: MaintenanceWindow | None = None
    max_active: int | None = None
    patience_s: float = 600


@dataclass(frozen=True)
class Done:
    """A piece of work that is over. It was needless where somebody else had done it meanwhile."""

    task: Finding
    seconds: float
    needless: bool


def plan_maintenance(*, database: Database) -> list[Finding]:
    """What there is to do, in order: what takes no time first, then whatever saves most."""
    found = [one for find in (drift.find, vacuum_stats.find, bloat.find) for one in find(database)]
    findings = [one for one in found if isinstance(one, Finding)]
    leftovers = [one for one in findings if one.kind is FindingKind.INVALID and drift.is_leftover(one.index)]
    stale = [one for one in findings if one.kind is FindingKind.STALE_STATISTICS]
    bloated = [one for one in findings if one.kind is FindingKind.BLOAT]
    return [*leftovers, *stale, *sorted(bloated, key=lambda one: -one.reclaimable_bytes)]


def maintain_indexes(*, plan: Sequence[Finding], bounds: Bounds) -> Iterator[Done]:
    """Do what the plan says, never beside a migration that builds an index, which waits for a piece of work at most.

    Raises:
        WindowClosed, TooBusy: before the next piece of work. What is done stays done.
    """
    for task in plan:
        _wait_for_quiet(bounds)
        with connection.schema_editor(atomic=False) as editor, exclusive_build_lock(editor):
            _stay_in_window(bounds)  # the wait for another builder may have been long
            needed = _is_needed(task)
            begin = monotonic()
            if needed:
                with connection.cursor() as cursor:
                    cursor.execute(task.remedy)
        yield Done(task, monotonic() - begin, needless=not needed)
        time.sleep(2 * POLL_S)  # a migration that waits for its turn gets it


def _is_needed(task: Finding) -> bool:
    """Another run may have done it while we waited, or somebody may have dropped the index."""
    database = read_database()
    database = replace(
        database,
        tables={name: table for name, table in database.tables.items() if name == task.table},
        indexes={name: index for name, index in database.indexes.items() if name == task.index},
    )
    return any(found.remedy == task.remedy for found in plan_maintenance(database=database))


def _wait_for_quiet(bounds: Bounds) -> None:
    deadline = monotonic() + bounds.patience_s
    _stay_in_window(bounds)
    while bounds.max_active is not None and (active := _count_active()) > bounds.max_active:
        if monotonic() >= deadline:
            raise TooBusy(
                f"{active} sessions were active, and {bounds.max_active} may be, for {bounds.patience_s:.0f} s."
            )
        time.sleep(QUIET_POLL_S)
        _stay_in_window(bounds)


def _stay_in_window(bounds: Bounds) -> None:
    window = bounds.window
    if window and not window.is_open(now()):
        raise WindowClosed(
            f"It is {now().astimezone(window.zone):%H:%M}: work begins between {window.start:%H:%M} and"
            f" {window.end:%H:%M} ({window.zone})."
        )


def _count_active() -> int:
    with connection.cursor() as cursor:
        cursor.execute(ACTIVE)
        count: int = cursor.fetchone()[0]
    return count

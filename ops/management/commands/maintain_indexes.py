"""`manage.py maintain_indexes`: bloated indexes built anew and stale statistics renewed, while others work."""

from argparse import ArgumentTypeError
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from tqdm import tqdm

from ops.index_health.catalog import read_database
from ops.index_health.findings import Finding
from ops.index_health.formatting import in_bytes
from ops.index_health.maintenance import (
    Bounds,
    MaintenanceWindow,
    TooBusy,
    WindowClosed,
    maintain_indexes,
    plan_maintenance,
)
from ops.safe_migrations.progress import Progress, watch


class Command(BaseCommand):
    help = (
        "Show what upkeep the indexes need: leftovers of a broken REINDEX dropped, ANALYZE where statistics are stale,"
        " REINDEX CONCURRENTLY of those over INDEX_BLOAT_PERCENT. With --apply, do it; if killed, run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="do it; without, nothing is changed")
        parser.add_argument(
            "--between", type=_times, metavar="22:00-05:00", help="begin work only at this time of day (default: any)"
        )
        parser.add_argument(
            "--timezone", type=_zone, default="UTC", metavar="ZONE", help="whose clocks --between means (default: UTC)"
        )
        parser.add_argument(
            "--max-active",
            type=_count,
            metavar="N",
            help="begin work only while at most N other sessions of our role are active (default: any number)",
        )
        parser.add_argument(
            "--patience", type=_count, default=600, metavar="S", help="seconds to wait for that (default: 600)"
        )

    def handle(self, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("maintain_indexes is for PostgreSQL: SQLite's indexes are built anew by its VACUUM.")
        plan = plan_maintenance(database=read_database())
        self._show(plan)
        if not plan:
            return
        if not options["apply"]:
            self.stdout.write("Nothing was changed: --apply does it.")
            return
        start, end = options["between"] or (None, None)
        bounds = Bounds(
            window=MaintenanceWindow(start, end, options["timezone"]) if start and end else None,
            max_active=options["max_active"],
            patience_s=options["patience"],
        )
        self._do(plan, bounds)

    def _show(self, plan: list[Finding]) -> None:
        for number, task in enumerate(plan, 1):
            reclaimable_bytes = f" Saves {in_bytes(task.reclaimable_bytes)}." if task.reclaimable_bytes else ""
            self.stdout.write(
                f"{number}. {task.remedy}\n   {task.index or task.table}: {task.message}{reclaimable_bytes}"
            )
        total = sum(task.reclaimable_bytes for task in plan)
        self.stdout.write(f"{len(plan)} things to do, which save {in_bytes(total)}." if plan else "Nothing to do.")

    def _do(self, plan: list[Finding], bounds: Bounds) -> None:
        done = 0
        with tqdm(bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}]", leave=False, disable=None) as bar:

            def show(progress: Progress) -> None:
                waits = f" for {progress.blocker}" if progress.blocker else ""
                bar.total, bar.n = progress.total or None, progress.done
                bar.set_description_str(f"{progress.index} {progress.phase}{waits}".strip())

            try:
                with watch(connection.alias, show):
                    for one in maintain_indexes(plan=plan, bounds=bounds):
                        done += 1
                        how = "was no longer needed" if one.needless else f"{one.seconds:.1f} s"
                        bar.clear()
                        self.stdout.write(f"{done}/{len(plan)} {one.task.remedy}: {how}")
            except WindowClosed as closed:
                self.stdout.write(f"{closed} {len(plan) - done} of {len(plan)} things are left for the next run.")
            except TooBusy as busy:
                raise CommandError(f"Gave up after {done} of {len(plan)}: {busy} Run it again later.") from busy
            except DatabaseError as error:
                raise CommandError(
                    f"{plan[done].remedy} failed: {str(error).strip()}. Run it again: what it left behind goes first."
                ) from error


def _times(text: str) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} must be like 22:00-05:00.") from error
    if start == end:
        raise ArgumentTypeError(f"{text!r} leaves no time at all.")
    return start, end


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ArgumentTypeError(f"{name!r} is no time zone, such as America/Denver.") from error


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} must be a whole number, 0 or more.")
    return int(text)

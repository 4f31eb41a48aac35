"""`manage.py maintain_indexes`: rebuild bloated indexes and refresh statistics during normal traffic."""

from argparse import ArgumentTypeError
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.template.defaultfilters import filesizeformat

from ops.index_health.catalog import read_database
from ops.index_health.findings import Finding, SkippedCheck
from ops.index_health.maintenance import (
    Limits,
    MaintenanceWindow,
    TooBusy,
    WindowClosed,
    maintain_indexes,
    plan_maintenance,
)
from ops.safe_migrations.progress import build_progress_bar
from ops.safe_migrations.sessions import direct_connection, require_owner


class Command(BaseCommand):
    help = (
        "List the maintenance that indexes need: drop leftovers of a failed REINDEX, ANALYZE tables with stale"
        " statistics, REINDEX CONCURRENTLY indexes over INDEX_BLOAT_PERCENT. --apply does it; if killed, run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="run the tasks; without it nothing is changed")
        parser.add_argument(
            "--between", type=_times, metavar="22:00-05:00", help="start tasks only at this time of day (default: any)"
        )
        parser.add_argument(
            "--timezone",
            type=_zone,
            default="UTC",
            metavar="ZONE",
            help="time zone of --between (default: %(default)s)",
        )
        parser.add_argument(
            "--max-active",
            type=_count,
            metavar="N",
            help="start tasks only while at most N other sessions of the same role are active (default: any number)",
        )
        parser.add_argument(
            "--patience", type=_count, default=600, metavar="S", help="seconds to wait for that (default: %(default)s)"
        )

    def handle(self, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("maintain_indexes is for PostgreSQL: on SQLite, VACUUM rebuilds all indexes.")
        with direct_connection():
            if options["apply"]:
                require_owner()
            self._maintain(**options)

    def _maintain(self, **options: Any) -> None:
        tasks, skipped = plan_maintenance(database=read_database())
        self._show(tasks, skipped)
        if not tasks:
            return
        if not options["apply"]:
            self.stdout.write("Nothing was changed. Add --apply to run the tasks.")
            return
        start, end = options["between"] or (None, None)
        window = MaintenanceWindow(start, end, options["timezone"]) if start and end else None
        self._run(tasks, Limits(window, max_active=options["max_active"], patience_s=options["patience"]))

    def _show(self, tasks: list[Finding], skipped: list[SkippedCheck]) -> None:
        for number, task in enumerate(tasks, 1):
            frees = f" Frees {filesizeformat(task.reclaimable_bytes)}." if task.reclaimable_bytes else ""
            self.stdout.write(f"{number}. {task.remedy}\n   {task.index or task.table}: {task.message}{frees}")
        for one in skipped:
            self.stdout.write(f"Skipped: {one.message}")
        total = filesizeformat(sum(task.reclaimable_bytes for task in tasks))
        self.stdout.write(f"Tasks: {len(tasks)}. They free {total}." if tasks else "Nothing to do.")

    def _run(self, tasks: list[Finding], limits: Limits) -> None:
        done = 0
        try:
            with build_progress_bar(connection.alias) as bar:
                for task, outcome in maintain_indexes(tasks=tasks, limits=limits):
                    done += 1
                    bar.clear()
                    self.stdout.write(f"{done}/{len(tasks)} {task.remedy}: {outcome}")
        except WindowClosed as closed:
            self.stdout.write(f"{closed} {len(tasks) - done} of {len(tasks)} tasks are left for the next run.")
        except TooBusy as busy:
            raise CommandError(f"Stopped after {done} of {len(tasks)} tasks: {busy} Run it again later.") from busy
        except DatabaseError as error:
            raise CommandError(
                f"{tasks[done].remedy} failed: {str(error).strip()}. Run it again: it drops the leftovers first."
            ) from error


def _times(text: str) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} must be like 22:00-05:00.") from error
    if start == end:
        raise ArgumentTypeError(f"{text!r} must start and end at different times.")
    return start, end


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ArgumentTypeError(f"{name!r} must be a time zone, such as America/Denver.") from error


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} must be a whole number, 0 or more.")
    return int(text)

"""`manage.py migrate_safely`: `migrate` on a live database, with a plan first."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.exceptions import IrreversibleError
from tqdm import tqdm

from crm.db.tenancy import TenantModel
from ops.safe_migrations.file_checks import check_files
from ops.safe_migrations.formatting import show_plan, show_seconds, show_violation
from ops.safe_migrations.plan import MigrationPlan, Violation, find_violations
from ops.safe_migrations.preview import NoSuchMigration, preview
from ops.safe_migrations.progress import Progress, find_oldest_session, watch
from ops.safe_migrations.runner import LockRetryTimeout, Retry, run_migrations
from ops.safe_migrations.table_stats import read_sizes

BUILDING, WAITING = "{desc} {percentage:3.0f}%|{bar}| [{elapsed}]", "{desc} [{elapsed}]"
UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text: str) -> float:
    """Return the seconds of `90s`, `10m` or `1h`."""
    if not (found := re.fullmatch(r"(\d+)([smh])", text)):
        raise ArgumentTypeError(f"{text!r} must be a duration such as 90s, 10m or 1h.")
    return int(found[1]) * UNITS[found[2]]


def milliseconds(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:  # 0 turns the timeout off
        raise ArgumentTypeError(f"{text!r} must be a positive number of milliseconds.")
    return int(text)


class Command(BaseCommand):
    help = (
        "Migrate a live database. Prints each step's locks and estimated time, and refuses steps that block others on"
        " a large table. Retries a migration that can't get its lock immediately."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("app", nargs="?", default="", help="migrate this app and its dependencies only")
        parser.add_argument(
            "migration", nargs="?", default="", help="migrate forwards or backwards to this one; zero reverses all"
        )
        parser.add_argument("--plan", action="store_true", help="print the plan and do nothing")
        parser.add_argument(
            "--check-files", action="store_true", help="check the migration files only, without a database"
        )
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS)
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="APP.MIGRATION",
            help="run this migration despite violations",
        )
        parser.add_argument(
            "--lock-timeout-ms",
            type=milliseconds,
            default=settings.MIGRATE_LOCK_TIMEOUT_MS,
            metavar="N",
            help="longest wait of a step for a lock, and of others behind it (default: %(default)s)",
        )
        parser.add_argument(
            "--patience",
            type=duration,
            default="10m",
            metavar="DURATION",
            help="how long one migration retries for its locks: 90s, 10m, 1h (default: %(default)s)",
        )

    def handle(self, *, app: str, migration: str, database: str, plan: bool, **options: Any) -> None:
        if options["check_files"]:
            self._check_files(set(options["allow"]))
            return
        try:
            plans = preview(app=app, name=migration, alias=database)
        except (NoSuchMigration, IrreversibleError) as error:
            raise CommandError(str(error)) from error
        violations = self._show(plans, database, options["allow"])
        self._refuse([violation for violation in violations if violation.plan.label not in options["allow"]])
        if plan:
            return
        self._run(plans, [part for part in (app, migration) if part], database, options)

    def _show(self, plans: list[MigrationPlan], alias: str, allowed: list[str]) -> list[Violation]:
        if not plans:
            self.stdout.write("There is nothing to migrate.")
            return []
        sizes = read_sizes(alias) if connections[alias].vendor == "postgresql" else {}
        for line in show_plan(plans, sizes):
            self.stdout.write(line)
        large = {table for table, size in sizes.items() if size.rows >= settings.LARGE_TABLE_ROWS}
        violations = [violation for plan in plans for violation in find_violations(plan, large)] if sizes else []
        for violation in violations:
            self.stdout.write(show_violation(violation, allowed=allowed))
        return violations

    def _check_files(self, allowed: set[str]) -> None:
        tenant_apps = {model._meta.app_label for model in apps.get_models() if issubclass(model, TenantModel)}
        violations = [violation for violation in check_files(tenant_apps) if violation.plan.label not in allowed]
        for violation in violations:
            self.stdout.write(show_violation(violation))
        self._refuse(violations)
        self.stdout.write("No migration blocks others on a large table.")

    def _refuse(self, violations: list[Violation]) -> None:
        refused = sorted({violation.plan.label for violation in violations if violation.recommendation.refused})
        if refused:
            raise CommandError(
                f"Refused: {', '.join(refused)}. Nothing was changed. Follow the advice above, or accept the locks by "
                + " ".join(f"--allow {label}" for label in refused)
            )

    def _run(self, plans: list[MigrationPlan], target: list[str], alias: str, options: dict[str, Any]) -> None:
        tables = sorted({effect.table for plan in plans for step in plan.steps for effect in step.effects})
        with tqdm(disable=not plans, leave=False, bar_format=WAITING) as bar:

            def write(line: str) -> None:
                bar.write(line, file=self.stdout)

            def show_progress(progress: Progress) -> None:
                waits = f" for {progress.blocker}" if progress.blocker else ""
                bar.bar_format = BUILDING if progress.total else WAITING
                bar.total, bar.n = progress.total or None, progress.done
                bar.set_description_str(f"{progress.index} {progress.phase}{waits}".strip())

            def show_retry(retry: Retry) -> None:
                session = find_oldest_session(alias, tables)
                in_use = f"; in use by {session}" if session else ""
                write(
                    f"{retry.migration}: no lock within {options['lock_timeout_ms']} ms{in_use}."
                    f" Try {retry.tries + 1} in {retry.pause:.1f} s."
                )

            try:
                with watch(alias, show_progress):
                    run_migrations(
                        target=target,
                        alias=alias,
                        lock_timeout_ms=options["lock_timeout_ms"],
                        patience_s=options["patience"],
                        started=bar.set_description_str,
                        finished=lambda name, seconds: write(f"{name}: done in {show_seconds(seconds)}."),
                        retrying=show_retry,
                    )
            except LockRetryTimeout as error:
                raise CommandError(str(error)) from error

"""`manage.py migrate_safely`: `migrate` on a live database, with a plan first."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.exceptions import IrreversibleError

from crm.db.tenancy import TenantModel
from ops.index_health.catalog import CatalogTable
from ops.index_health.catalog.postgresql import read_tables
from ops.safe_migrations.file_checks import check_files
from ops.safe_migrations.formatting import Size, show_plan, show_violation
from ops.safe_migrations.plan import MigrationPlan, Violation, find_violations
from ops.safe_migrations.preview import NoSuchMigration, preview
from ops.safe_migrations.progress import build_progress_bar
from ops.safe_migrations.runner import LockRetryTimeout, run_migrations
from ops.safe_migrations.sessions import direct_connection, migration_lock, require_owner

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


def measure(name: str, tables: Mapping[str, CatalogTable]) -> Size:
    """Return a table's size: that of its partitions together if it has some, since a statement goes to each."""
    parts = [measure(part, tables) for part in tables[name].partitions if part in tables]
    if not parts:
        return Size(tables[name].rows, tables[name].bytes)
    return Size(sum(part.rows for part in parts), sum(part.bytes for part in parts))


class Command(BaseCommand):
    help = (
        "Migrate a live database. Prints each step's locks and estimated time, and refuses steps that block others on"
        " a large table. Retries a migration that can't get its lock immediately."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "app", nargs="?", default="", help="migrate this app and its dependencies only (default: all apps)"
        )
        parser.add_argument(
            "migration",
            nargs="?",
            default="",
            help="migrate forwards or backwards to this one; zero reverses all (default: the last)",
        )
        parser.add_argument("--plan", action="store_true", help="print the plan and do nothing")
        parser.add_argument(
            "--check-files", action="store_true", help="check the migration files only, without a database"
        )
        parser.add_argument(
            "--database", default=DEFAULT_DB_ALIAS, metavar="ALIAS", help="database to migrate (default: %(default)s)"
        )
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            metavar="APP.MIGRATION",
            help="run this migration despite violations; may be repeated (default: none)",
        )
        parser.add_argument(
            "--lock-timeout-ms",
            type=milliseconds,
            default=settings.MIGRATE_LOCK_TIMEOUT_MS,
            metavar="N",
            help="longest wait of a step for a lock, and of others behind it, in milliseconds (default: %(default)s)",
        )
        parser.add_argument(
            "--patience",
            type=duration,
            default="10m",
            metavar="DURATION",
            help="how long one migration retries for its locks: 90s, 10m, 1h (default: %(default)s)",
        )

    def handle(self, **options: Any) -> None:
        if options["check_files"]:
            self._check_files(set(options["allow"]))
            return
        with direct_connection(options["database"]):
            if options["plan"]:
                self._migrate(**options)
                return
            require_owner(options["database"])
            with migration_lock(options["database"], self.stdout.write):
                self._migrate(**options)

    def _migrate(self, *, app: str, migration: str, database: str, plan: bool, **options: Any) -> None:
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
        tables = read_tables(connections[alias]) if connections[alias].vendor == "postgresql" else {}
        sizes = {name: measure(name, tables) for name in tables}
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
        with build_progress_bar(alias, disable=not plans) as bar:
            try:
                run_migrations(
                    target=target,
                    alias=alias,
                    tables=tables,
                    lock_timeout_ms=options["lock_timeout_ms"],
                    patience_s=options["patience"],
                    show=bar.set_description_str,
                    write=partial(bar.write, file=self.stdout),
                )
            except LockRetryTimeout as error:
                raise CommandError(str(error)) from error

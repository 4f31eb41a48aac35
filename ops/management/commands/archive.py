"""`manage.py archive`: move old, closed rows to Parquet files, and verify these."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from crm.management.companies import read_companies
from crm.management.progress import ProgressBar
from crm.models import Company
from crm.models.companies import MIN_RETENTION_DAYS
from ops.archive.archiving import ArchiveResult, archive_company, count_candidates
from ops.archive.bundles import BUNDLES
from ops.archive.verification import verify_company

# Bundles by the operators' names.
BUNDLE_NAMES = {
    "calls": "calls",
    "activities": "activities",
    "missed-callers": "missed_callers",
    "deliveries": "webhook_events",
}
DAYS_OF_UNIT = {"": 1, "d": 1, "w": 7, "y": 365}
MIN_WEBHOOK_EVENT_DAYS = 30  # providers repeat a webhook event for days, and people ask about last month's


def read_age(text: str) -> timedelta:
    """Parse days (`730d`, `730`), weeks (`12w`) or years (`2y`). Raises ArgumentTypeError."""
    found = re.fullmatch(r"(\d{1,5})([dwy]?)", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} must be a number of days, weeks or years, such as 90d, 12w or 2y.")
    return timedelta(days=int(found[1]) * DAYS_OF_UNIT[found[2]])


def read_batch_size(text: str) -> int:
    """Parse a number of roots. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 20_000:
        raise ArgumentTypeError(f"{text!r} must be a number from 1 to 20000.")
    return int(text)


class Command(BaseCommand):
    help = (
        "Move closed calls, messages, activities and webhook events that are past their company's retention into"
        " Parquet files. The dashboard's numbers stay. It can be killed and started again at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=read_age,
            metavar="AGE",
            help="minimum age in days, weeks or years, such as 730d, 104w or 2y (default: each company's"
            " retention_days)",
        )
        parser.add_argument(
            "--only",
            choices=BUNDLE_NAMES,
            help=f"archive only these rows: {', '.join(BUNDLE_NAMES)} (default: all)",
        )
        parser.add_argument(
            "--company", metavar="SLUG", help="only the company with this slug (default: all companies)"
        )
        parser.add_argument(
            "--to",
            type=Path,
            default=settings.ARCHIVE_DIR,
            metavar="DIR",
            help="folder to write to, or to verify (default: ARCHIVE_DIR, %(default)s)",
        )
        parser.add_argument(
            "--batch",
            type=read_batch_size,
            default=2000,
            metavar="N",
            help="calls, messages or other roots moved in one transaction, up to 20000 (default: %(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count the rows to move")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="read and check every file of the archives, and change nothing; exit with 1 if one is damaged",
        )

    def handle(self, *, company: str | None, to: Path, verify: bool, **options: Any) -> None:
        companies = list(read_companies(company))
        if verify:
            if options["older_than"] or options["only"] or options["dry_run"]:
                raise CommandError("--verify archives nothing; remove --older-than, --only and --dry-run.")
            self._verify(companies, to)
        else:
            self._archive(companies, to, **options)

    def _verify(self, companies: list[Company], root: Path) -> None:
        faults = []
        with ProgressBar(companies, unit=" companies") as bar:
            for company in bar:
                result = verify_company(company=company, root=root)
                faults += result.faults
                self.stdout.write(f"{company.slug}: {result.files:,} files with {result.rows:,} rows read.")
        if faults:
            raise CommandError("\n".join([*faults, f"{len(faults)} faults. Restore the files from your backup."]))
        self.stdout.write("Every file is as its manifest says.")

    def _archive(
        self,
        companies: list[Company],
        root: Path,
        *,
        older_than: timedelta | None,
        only: str | None,
        batch: int,
        dry_run: bool,
        **options: Any,
    ) -> None:
        minimum = MIN_WEBHOOK_EVENT_DAYS if only == "deliveries" else MIN_RETENTION_DAYS
        if older_than is not None and older_than.days < minimum:
            raise CommandError(f"--older-than: {older_than.days} days are too few; give at least {minimum}.")
        bundles = [bundle for bundle in BUNDLES if only is None or bundle.name == BUNDLE_NAMES[only]]
        for one in companies:
            if older_than is None and one.retention_days is None:
                self.stdout.write(f"{one.slug}: skipped, because its retention_days is empty.")
                continue
            cut_off = now() - (older_than or timedelta(days=one.retention_days or 0))
            total = count_candidates(company=one, cut_off=cut_off, bundles=bundles)
            with ProgressBar(total=total, unit=" rows", desc=one.slug) as bar:

                def show(bundle: str, rows: int, bar: ProgressBar = bar) -> None:
                    bar.set_postfix_str(bundle, refresh=False)
                    bar.update(rows)

                result = archive_company(
                    company=one, cut_off=cut_off, root=root, batch_size=batch, bundles=bundles, dry_run=dry_run,
                    progress=show,
                )  # fmt: skip
            self._write_result(one, result, dry_run=dry_run)

    def _write_result(self, company: Company, result: ArchiveResult, *, dry_run: bool) -> None:
        for table, rows in sorted(result.rows.items()):
            self.stdout.write(f"{company.slug}: {table:20}{rows:>12,} {'to archive' if dry_run else 'archived'}")
        for (bundle, reason), rows in sorted(result.kept.items()):
            self.stdout.write(f"{company.slug}: {bundle:20}{rows:>12,} kept: {reason}")
        if not result.rows:
            self.stdout.write(f"{company.slug}: nothing {'to archive' if dry_run else 'was archived'}.")
        elif not dry_run:
            self.stdout.write(f"{company.slug}: written to {result.folder}")

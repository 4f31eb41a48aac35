"""`manage.py archive`: move old, closed rows to Parquet files."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.timezone import now
from tqdm import tqdm

from crm.management.companies import read_companies
from crm.models import Company
from crm.models.companies import MIN_RETENTION_DAYS
from ops.archive.archiving import ArchiveResult, archive_company, count_candidates


def read_days(text: str) -> timedelta:
    """Parse `730d` or `730`. Raises ArgumentTypeError."""
    if not re.fullmatch(r"\d{1,5}d?", text):
        raise ArgumentTypeError(f"{text!r} must be a number of days, such as 730d.")
    days = int(text.removesuffix("d"))
    if days < MIN_RETENTION_DAYS:
        raise ArgumentTypeError(f"{days} days are too few: give at least {MIN_RETENTION_DAYS}.")
    return timedelta(days=days)


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
            type=read_days,
            metavar="DAYS",
            help="minimum age in days, such as 730d (default: each company's retention_days)",
        )
        parser.add_argument(
            "--company", metavar="SLUG", help="only the company with this slug (default: all companies)"
        )
        parser.add_argument(
            "--to",
            type=Path,
            default=settings.ARCHIVE_DIR,
            metavar="DIR",
            help="folder to write to (default: ARCHIVE_DIR, %(default)s)",
        )
        parser.add_argument(
            "--batch",
            type=read_batch_size,
            default=2000,
            metavar="N",
            help="calls, messages or other roots moved in one transaction, up to 20000 (default: %(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count the rows to move")

    def handle(
        self, *, older_than: timedelta | None, company: str | None, to: Path, batch: int, dry_run: bool, **options: Any
    ) -> None:
        for one in read_companies(company):
            if older_than is None and one.retention_days is None:
                self.stdout.write(f"{one.slug}: skipped, because its retention_days is empty.")
                continue
            cut_off = now() - (older_than or timedelta(days=one.retention_days or 0))
            with tqdm(total=count_candidates(company=one, cut_off=cut_off), unit=" rows", desc=one.slug) as bar:

                def show(bundle: str, rows: int, bar: tqdm = bar) -> None:
                    bar.set_postfix_str(bundle, refresh=False)
                    bar.update(rows)

                result = archive_company(
                    company=one, cut_off=cut_off, root=to, batch_size=batch, dry_run=dry_run, progress=show
                )
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

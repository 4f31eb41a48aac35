"""`manage.py archive`: what is old and closed leaves the database for Parquet files."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now
from tqdm import tqdm

from crm.models import Company
from crm.models.companies import MIN_RETENTION_DAYS
from ops.archive.archiving import ArchiveResult, archive_company, count_candidates


def read_days(text: str) -> timedelta:
    """`730d`, or `730`. Raises ArgumentTypeError."""
    if not re.fullmatch(r"\d{1,5}d?", text):
        raise ArgumentTypeError(f"{text!r} is not a number of days, such as 730d.")
    days = int(text.removesuffix("d"))
    if days < MIN_RETENTION_DAYS:
        raise ArgumentTypeError(f"{days} days are too few: at least {MIN_RETENTION_DAYS} stay in the database.")
    return timedelta(days=days)


def read_batch(text: str) -> int:
    """Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 20_000:
        raise ArgumentTypeError(f"{text!r} is not a number from 1 to 20000.")
    return int(text)


class Command(BaseCommand):
    help = (
        "Move closed calls, texts, activities and deliveries that are older than a company keeps them into Parquet"
        " files. The dashboard's numbers stay. It can be killed and started again at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=read_days, metavar="DAYS", help="such as 730d; default: each company's retention_days"
        )
        parser.add_argument("--company", metavar="SLUG", help="of this one alone")
        parser.add_argument(
            "--to", type=Path, default=settings.ARCHIVE_DIR, metavar="DIR", help="default: ARCHIVE_DIR, %(default)s"
        )
        parser.add_argument("--batch", type=read_batch, default=2000, help="roots in one transaction (default: 2000)")
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")

    def handle(
        self, *, older_than: timedelta | None, company: str | None, to: Path, batch: int, dry_run: bool, **options: Any
    ) -> None:
        companies = Company.objects.filter(slug=company) if company else Company.objects.all()
        if company and not companies:
            raise CommandError(f"There is no company {company!r}.")
        for one in companies.order_by("pk"):
            if older_than is None and one.retention_days is None:
                self.stdout.write(f"{one.slug}: skipped, it keeps everything (retention_days is empty).")
                continue
            cut_off = now() - (older_than or timedelta(days=one.retention_days or 0))
            with tqdm(total=count_candidates(company=one, cut_off=cut_off), unit=" rows", desc=one.slug) as bar:

                def show(bundle: str, rows: int, bar: tqdm = bar) -> None:
                    bar.set_postfix_str(bundle, refresh=False)
                    bar.update(rows)

                taken = archive_company(
                    company=one, cut_off=cut_off, root=to, batch=batch, dry_run=dry_run, progress=show
                )
            self._tell(one, taken, dry_run=dry_run)

    def _tell(self, company: Company, taken: ArchiveResult, *, dry_run: bool) -> None:
        for table, rows in sorted(taken.rows.items()):
            self.stdout.write(f"{company.slug}: {table:20}{rows:>12,} {'would go' if dry_run else 'archived'}")
        for (bundle, why), rows in sorted(taken.kept.items()):
            self.stdout.write(f"{company.slug}: {bundle:20}{rows:>12,} kept: {why}")
        if not taken.rows:
            self.stdout.write(f"{company.slug}: nothing {'would go' if dry_run else 'was archived'}.")
        elif not dry_run:
            self.stdout.write(f"{company.slug}: written to {taken.folder}")

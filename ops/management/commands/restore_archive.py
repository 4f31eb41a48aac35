"""`manage.py restore_archive`: restore archived rows."""

from argparse import ArgumentParser
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.management.progress import ProgressBar
from ops.archive.parquet import ArchiveDamaged
from ops.archive.restore import Restored, RestoreRefused, find_archives, restore_archive
from ops.safe_migrations.sessions import owner_connection

MAX_CONFLICTS = 20  # listed ones


class Command(BaseCommand):
    help = (
        "Restore the rows of archives. Every file is checked first. It can be killed and started again at any time:"
        " rows in the database are never changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="DIR|MANIFEST", help="folder with archives, or one manifest")
        parser.add_argument(
            "--company", metavar="SLUG", help="only archives of the company with this slug (default: all)"
        )
        parser.add_argument("--dry-run", action="store_true", help="check the archives and change nothing")

    def handle(self, *, path: Path, company: str | None, dry_run: bool, **options: Any) -> None:
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        conflicts = []
        try:
            archives = find_archives(path, slug=company)
            with (
                nullcontext() if dry_run else owner_connection(),
                ProgressBar(total=sum(archive.total for archive in archives), unit=" rows") as bar,
            ):

                def show(bundle: str, rows: int) -> None:
                    bar.set_postfix_str(bundle, refresh=False)
                    bar.update(rows)

                results = [(archive, restore_archive(archive, dry_run=dry_run, progress=show)) for archive in archives]
        except (ArchiveDamaged, RestoreRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        for archive, restored in results:
            self.stdout.write(f"{archive.folder}:")
            self._write_result(restored, dry_run=dry_run)
            conflicts += restored.conflicts
        for conflict in conflicts[:MAX_CONFLICTS]:
            self.stdout.write(conflict)
        if conflicts:
            raise CommandError(f"{len(conflicts)} rows are not restored: the database has other rows in their place.")

    def _write_result(self, restored: Restored, *, dry_run: bool) -> None:
        lines: list[tuple[Counter[Any], str]] = [
            (restored.rows, "to restore" if dry_run else "restored"),
            (restored.already_present, "already present"),
            (restored.skipped, "skipped: "),
        ]
        for counts, result in lines:
            for key, rows in sorted(counts.items()):
                table, reason = key if isinstance(key, tuple) else (key, "")
                if rows:
                    self.stdout.write(f"  {table:20}{rows:>12,} {result}{reason}")

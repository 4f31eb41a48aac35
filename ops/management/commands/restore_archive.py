"""`manage.py restore_archive`: archived rows come back into the database."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ops.archive.parquet import ArchiveDamaged
from ops.archive.restore import Restored, RestoreRefused, find_archives, restore_archive

MAX_CONFLICTS = 20  # that are listed


class Command(BaseCommand):
    help = (
        "Bring the rows of archives back, as they were. Every file is checked first. It can be killed, and run again,"
        " at any time: what is there stays as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="DIR|MANIFEST", help="archives at or below it, or one manifest")
        parser.add_argument("--company", metavar="SLUG", help="of this one alone")
        parser.add_argument("--dry-run", action="store_true", help="check everything and change nothing")

    def handle(self, *, path: Path, company: str | None, dry_run: bool, **options: Any) -> None:
        if not path.exists():
            raise CommandError(f"{path} does not exist.")
        conflicts = []
        try:
            archives = find_archives(path, slug=company)
            with tqdm(total=sum(archive.total for archive in archives), unit=" rows") as bar:

                def show(bundle: str, rows: int) -> None:
                    bar.set_postfix_str(bundle, refresh=False)
                    bar.update(rows)

                told = [(archive, restore_archive(archive, dry_run=dry_run, progress=show)) for archive in archives]
        except (ArchiveDamaged, RestoreRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        for archive, restored in told:
            self.stdout.write(f"{archive.folder}:")
            self._tell(restored, dry_run=dry_run)
            conflicts += restored.conflicts
        for conflict in conflicts[:MAX_CONFLICTS]:
            self.stdout.write(conflict)
        if conflicts:
            raise CommandError(f"{len(conflicts)} rows are not restored: other rows stand in their place.")

    def _tell(self, restored: Restored, *, dry_run: bool) -> None:
        lines: list[tuple[Counter[Any], str]] = [
            (restored.rows, "would come back" if dry_run else "restored"),
            (restored.already_present, "were there already"),
            (restored.skipped, "stay in the archive: "),
        ]
        for counts, what in lines:
            for key, rows in sorted(counts.items()):
                table, why = key if isinstance(key, tuple) else (key, "")
                if rows:
                    self.stdout.write(f"  {table:20}{rows:>12,} {what}{why}")

"""`manage.py backup`: a dump with a manifest, and the comparison of a restored database with it."""

from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from crm.management.progress import ProgressBar
from ops.backup.dump import BackupFailed, Manifest, compare_with_manifest, make_backup, manifest_path
from ops.safe_migrations.sessions import direct_connection


class Progress:
    """A bar whose length is known once the tables are."""

    def __init__(self) -> None:
        self.bar = ProgressBar(unit=" tables")

    def begin(self, total: int) -> None:
        self.bar.total = total
        self.bar.refresh()

    def advance(self, table: str) -> None:
        self.bar.set_postfix_str(table, refresh=False)
        self.bar.update()

    def close(self) -> None:
        self.bar.close()


class Command(BaseCommand):
    help = (
        "Dump the database with pg_dump, and write a manifest of rows and checksums beside it. Run it as the backup"
        " role. --compare checks a restored database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, help="file of the dump; or with --compare, the manifest to compare the database with"
        )
        parser.add_argument(
            "--compare",
            action="store_true",
            help="change nothing; exit with 1 if a table of the database differs from the manifest",
        )

    def handle(self, *, file: Path, compare: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("backup is for PostgreSQL: copy a SQLite file with sqlite3's .backup.")
        try:
            with direct_connection(), closing(Progress()) as progress:
                if compare:
                    self._compare(Manifest.read(file), progress)
                    return
                manifest = make_backup(to=file, progress=progress.advance, total=progress.begin)
        except BackupFailed as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in manifest.tables.values())
        self.stdout.write(
            f"{len(manifest.tables)} tables with {rows:,} rows are in {file} ({file.stat().st_size:,} bytes)."
        )
        self.stdout.write(f"Manifest: {manifest_path(file)}")

    def _compare(self, manifest: Manifest, progress: Progress) -> None:
        differences = compare_with_manifest(manifest, progress=progress.advance, total=progress.begin)
        progress.close()
        for difference in differences:
            self.stdout.write(difference)
        if differences:
            raise CommandError(f"{len(differences)} tables differ from the backup of {manifest.created_at}.")
        self.stdout.write(f"All {len(manifest.tables)} tables are as in the backup of {manifest.created_at}.")

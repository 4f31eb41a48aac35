"""`manage.py import_contacts`: import contacts from a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.choices import ImportState
from crm.db.audit_context import program_transaction
from crm.db.tenancy import tenant
from crm.management.companies import read_company
from crm.management.progress import TaskBar
from crm.models import BackgroundTask, Import
from crm.models.imports import COUNTS
from crm.refusals import Refusal
from crm.services.background_tasks.jobs import run_task
from crm.services.imports.reading.presets import PRESETS
from crm.services.imports.requests import MappingNeeded, Options, begin_import, open_upload


class Command(BaseCommand):
    help = (
        "Import contacts from a CSV or Excel file. It can be killed at any time: a worker goes on, and nothing is done"
        " twice. manage.py undo_import puts everything back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a CSV file in any encoding, or an .xlsx file")
        parser.add_argument("--company", required=True, metavar="SLUG", help="the company that gets the contacts")
        parser.add_argument(
            "--preset",
            default="",
            metavar="NAME",
            help=f"a known set of columns, {{{', '.join(PRESETS)}}} (default: found by the columns)",
        )
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="FILE",
            help='JSON that says which column goes where, such as {"columns": {"Cell": "phone"}}'
            " (default: as last time, or the preset's)",
        )
        parser.add_argument(
            "--list", default="", metavar="NAME", help="list for the contacts (default: the file's name)"
        )
        parser.add_argument(
            "--tag",
            action="append",
            default=[],
            metavar="NAME",
            help="tag for the contacts; repeatable (default: none)",
        )
        parser.add_argument(
            "--overwrite",
            action="append",
            default=[],
            metavar="COLUMN",
            help="a contact's column that the file may overwrite, such as email; repeatable (default: only blank ones"
            " are filled)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only predict the counts")
        parser.add_argument("--json", action="store_true", help="write the counts as JSON, in the last line")

    def handle(self, *, file: Path, company: str, json: bool, **options: Any) -> None:
        source = self._begin(file, company, **options)
        if source.warning:
            self.stderr.write(self.style.WARNING(source.warning))
        with TaskBar(unit=" rows") as bar:
            task = run_task(task=source.task, progress=bar.show)
        with tenant(source.company_id):
            source.refresh_from_db()
        if source.state != ImportState.DONE:
            raise CommandError(_failure(task))
        self._write(source, as_json=json)

    def _begin(
        self, file: Path, slug: str, *, preset: str, mapping: Path | None, dry_run: bool, **options: Any
    ) -> Import:
        company = read_company(slug)
        if not file.is_file():
            raise CommandError(f"{file}: there is no such file.")
        try:
            with program_transaction("import_contacts", company_id=company.pk):
                return begin_import(
                    company=company, upload=open_upload(path=file, name=file.name), user=None,
                    mapping=_read_mapping(mapping), preset=preset, dry_run=dry_run,
                    options=Options(overwrite=options["overwrite"], tags=options["tag"], list_name=options["list"]),
                )  # fmt: skip
        except MappingNeeded as needed:
            suggestion = json.dumps(needed.choice.mapping.to_json(), ensure_ascii=False)
            raise CommandError(
                f"{file}: {needed} Write where the columns go into a file, and name it with --mapping. A suggestion:\n"
                f"{suggestion}"
            ) from needed
        except Refusal as refusal:
            raise CommandError(f"{file}: {refusal}") from refusal

    def _write(self, source: Import, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"id": source.pk, **source.counts}))
            return
        verb = "would be" if source.dry_run else "were"
        self.stdout.write(f"Import {source.pk}: {source.rows:,} rows, of which")
        for name in COUNTS[1:]:
            self.stdout.write(f"{getattr(source, name):>12,} {verb} {name.replace('_', ' ')}")
        if source.rejected:
            self.stdout.write(
                f"The reasons: GET /api/v1/imports/{source.pk}/rejected, or the import's page in the admin."
            )


def _read_mapping(path: Path | None) -> Any:
    if path is None:
        return None
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"--mapping: {path} isn't a file with JSON ({error}).") from error


def _failure(task: BackgroundTask) -> str:
    return task.error or f"The task is {task.get_state_display().lower()}."

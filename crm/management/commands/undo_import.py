"""`manage.py undo_import`: put back what an import has written."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.choices import ImportState, RowUndo
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, tenant
from crm.management.progress import TaskBar
from crm.models import Import
from crm.refusals import Refusal
from crm.services.background_tasks.jobs import run_task
from crm.services.imports.undo import begin_undo


class Command(BaseCommand):
    help = (
        "Undo an import, within 30 days. Contacts that somebody has touched since are kept. It can be killed at any"
        " time, and started again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID", help="the import's ID")
        parser.add_argument("--json", action="store_true", help="write the counts as JSON, in the last line")

    def handle(self, *, id: int, json: bool, **options: Any) -> None:  # the argument's name
        with all_tenants():
            source = Import.objects.filter(pk=id).first()
        if source is None:
            raise CommandError(f"There is no import {id}.")
        try:
            with program_transaction("undo_import", company_id=source.company_id):
                if source.state != ImportState.UNDOING:  # else it goes on
                    source = begin_undo(source=source, user=None)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        with all_tenants():
            task = source.task
        with TaskBar(unit=" contacts") as bar:
            task = run_task(task=task, progress=bar.show)
        with tenant(source.company_id):
            source.refresh_from_db()
        if source.state != ImportState.UNDONE:
            raise CommandError(task.error or f"The task is {task.get_state_display().lower()}.")
        self._write(source, as_json=json)

    def _write(self, source: Import, *, as_json: bool) -> None:
        counts = {outcome.value: getattr(source, outcome.value) for outcome in RowUndo}
        if as_json:
            self.stdout.write(json.dumps(counts))
            return
        for name, number in counts.items():
            self.stdout.write(f"{number:>12,} contacts {name}")

"""The background task `import`: stores a file's rows, works on them by leases, and counts what became of them."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from crm.choices import ImportState, RowVerdict, TaskState
from crm.db.bulk import analyze_changed, analyze_new, insert_rows, many_rows
from crm.error_codes import ErrorCode
from crm.models import BackgroundTask, Contact, Import, ImportRow
from crm.refusals import Refusal
from crm.services.background_tasks.kinds import Kind
from crm.services.background_tasks.runs import Run
from crm.services.imports.lease import count_verdicts, work_on_rows
from crm.services.imports.planning import Claims
from crm.services.imports.reading.faults import UnreadableFile
from crm.services.imports.reading.files import open_table
from crm.services.imports.reading.mapping import Mapping
from crm.services.imports.reading_ahead import RowsAhead
from crm.services.stored_files import file_on_disk

LEASE_ROWS = 5_000
MAX_TRIES = 5  # of a lease that meets a contact which is written at the same moment
Row = tuple[int, list[str]]  # number and cells
# What the task remembers between its steps.
STORED, IS_STORED, NEXT = "stored_to", "stored", "worked_to"


class FileRefused(Refusal):
    """The file can't be read to its end."""

    code, attr = ErrorCode.UNREADABLE_FILE, "file"


class FileGone(Refusal):
    """The file has expired, before its import began."""

    code = ErrorCode.FILE_EXPIRED


def import_steps(run: Run) -> Iterator[None]:
    """Do an import. Rows are stored first: a file that can't be read to its end changes nothing."""
    with run.step() as task:
        source = Import.objects.select_related("file", "list").get(task=task)
        Import.objects.filter(pk=source.pk).update(state=ImportState.RUNNING)
        parameters = dict(task.parameters)
    yield
    if not parameters.get(IS_STORED):
        yield from _store_rows(run, source)
    if source.dry_run and NEXT in parameters:  # what its leases would have written is forgotten
        with run.step() as task:
            _begin_again(task, source)
        yield
    claims, mapping = Claims(), Mapping.from_json(source.mapping)
    with RowsAhead(source, mapping, rows=LEASE_ROWS) as ahead:
        while _work_on_next_rows(run, source, mapping, claims, ahead):
            yield
    with run.step() as task:
        Import.objects.filter(pk=source.pk).update(
            state=ImportState.DONE, ended_at=timezone.now(), **count_verdicts(source)
        )
    yield


def _store_rows(run: Run, source: Import) -> Iterator[None]:
    if source.file is None:
        raise FileGone
    stored_to = int(run.task.parameters.get(STORED, 0))
    with _read_errors(), file_on_disk(file=source.file) as path, ThreadPoolExecutor(1) as thread:
        rows = ((n, cells) for n, cells in open_table(path, source.name).rows() if n > stored_to)
        # While the database stores some rows, a thread reads the next ones.
        following = thread.submit(_read_some, rows)
        while True:
            some = following.result()
            following = thread.submit(_read_some, rows)
            with run.step() as task, many_rows():
                insert_rows(
                    ImportRow,
                    ("company", "source", "n", "person", "cells", "verdict", "reason", "column", "detail", "undo",
                     "undo_detail"),
                    [
                        (source.company_id, source.pk, n, 1, cells, RowVerdict.WAITING, "", "", "", "", "")
                        for n, cells in some
                    ],
                )  # fmt: skip
                if some:
                    task.parameters = {**task.parameters, STORED: some[-1][0]}
                else:
                    total = ImportRow.objects.filter(source=source).count()
                    task.total, task.parameters = total, {**task.parameters, IS_STORED: True}
                    Import.objects.filter(pk=source.pk).update(file_rows=total)
            yield
            if not some:
                return


def _read_some(rows: Iterator[Row]) -> list[Row]:
    return list(itertools.islice(rows, LEASE_ROWS))


def _work_on_next_rows(run: Run, source: Import, mapping: Mapping, claims: Claims, ahead: RowsAhead) -> bool:
    """Work on the next lease. Returns False if no row is left."""
    for number in range(1, MAX_TRIES + 1):
        try:
            with run.step() as task, many_rows():
                analyze_changed(Contact)
                rows = ahead.after(task.parameters.get(NEXT, 0))
                if rows:
                    work_on_rows(source=source, mapping=mapping, rows=rows, claims=claims, user=task.requested_by)
                    if not source.dry_run:
                        analyze_new(Contact)
                    task.done += len(rows)
                    task.parameters = {**task.parameters, NEXT: rows[-1].n}
            return bool(rows)
        except (IntegrityError, OperationalError):  # the same number came in, or a deadlock was ended
            if number == MAX_TRIES or not connection.is_usable():
                raise
    raise AssertionError  # the last try has raised


def _begin_again(task: BackgroundTask, source: Import) -> None:
    rows = ImportRow.objects.filter(source=source)
    rows.exclude(person=1).delete()
    rows.update(verdict=RowVerdict.WAITING, contact_id=None, reason="", column="", detail="")
    task.done, task.parameters = 0, {key: value for key, value in task.parameters.items() if key != NEXT}


@contextmanager
def _read_errors() -> Iterator[None]:
    try:
        yield
    except UnreadableFile as error:
        raise FileRefused(error.detail) from error


def end_import(task: BackgroundTask) -> None:
    """Record that the import has failed or was cancelled. What it has done so far can be undone."""
    task.refresh_from_db(fields=["state"])
    state = ImportState.CANCELLED if task.state == TaskState.CANCELLED else ImportState.FAILED
    for source in Import.objects.filter(task=task):
        Import.objects.filter(pk=source.pk).update(state=state, ended_at=timezone.now(), **count_verdicts(source))


IMPORT = Kind(name="import", label="Import", steps=import_steps, end=end_import)

"""Chapter 13: an import of many messy rows, its dry run and its undo."""

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from openpyxl import Workbook

from benchmarks.database import execute
from benchmarks.messy_contacts import write_messy_contacts
from benchmarks.processes import backends, cpu_seconds
from benchmarks.report import Chapter, Goal, number, show_step
from benchmarks.web_server import database_url
from crm.db.tenancy import all_tenants
from crm.models import (
    BackgroundTask,
    Company,
    Contact,
    ContactField,
    ContactFieldValue,
    ContactFlag,
    ContactList,
    ContactListEntry,
    ContactPhone,
    ContactSearchKey,
    ContactTag,
    Import,
    ImportRow,
    MarketingConsent,
    OptOut,
    OptOutEntry,
    StoredFile,
    StoredFileChunk,
    Tag,
)
from crm.services.imports.reading.files import open_table

ROWS, SHEET_ROWS = 100_000, 20_000
SLUG = "bench-imports"
GOAL_IMPORT_S, GOAL_DRY_RUN_S, GOAL_UNDO_S, GOAL_MEMORY_MB = 30, 20, 30, 100
ABOUT = """{rows:,} rows of `benchmarks/messy_contacts.py`: numbers in ten spellings, two numbers in many rows, tags,
two custom fields, consents, and faults of every kind. Each line is one process of `manage.py import_contacts` or
`undo_import`, from its start to its end. Memory is its peak, without that of the same command with ten rows. CPU is the
processor time of the process and of its sessions in the database: what else the machine does hardly changes it."""
ABOUT_READING = """Reading alone, of {rows:,} rows, in this process."""
MAPPING = {
    "columns": {
        "First name": "first_name", "Last name": "last_name", "Phone": "phone", "Phone 2": "phone:2", "Email": "email",
        "Address": "address", "City": "city", "State": "state", "ZIP": "postal_code", "Tags": "tag",
        "SMS consent": "consent", "Consent date": "consent_date", "Do not contact": "do_not_contact",
        "Roof age": "field:roof_age", "Installed": "field:installed",
    },
    "fields": {
        "roof_age": {"label": "Roof age", "type": "number"},
        "installed": {"label": "Installed", "type": "date"},
    },
}  # fmt: skip
# Each before the tables that it refers to.
TABLES: tuple[Any, ...] = (
    ContactListEntry, ContactFieldValue, ContactTag, ContactFlag, ContactSearchKey, ContactPhone, MarketingConsent,
    OptOutEntry, OptOut, Contact, ImportRow, Import, ContactList, ContactField, Tag, BackgroundTask, StoredFileChunk,
    StoredFile,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One process."""

    seconds: float
    process_s: float
    database_s: float
    peak_mb: float
    counts: dict[str, int]


def measure_imports(*, rows: int) -> Chapter:
    """Measure the import of a messy file, of 100,000 rows at most. Deletes the company that it makes."""
    rows = min(rows, ROWS)
    chapter = Chapter("13. Imports", [ABOUT.format(rows=rows)])
    with _company(), tempfile.TemporaryDirectory() as folder:
        small, large, mapping = (Path(folder) / name for name in ("small.csv", "large.csv", "mapping.json"))
        write_messy_contacts(small, rows=10, seed=2)
        write_messy_contacts(large, rows=rows, seed=1)
        mapping.write_text(json.dumps(MAPPING))
        options = ["--company", SLUG, "--mapping", str(mapping), "--json"]
        base = _run("import_contacts", str(small), *options).peak_mb
        _run("undo_import", str(_last_import()), "--json")
        runs = {}
        for name, command in {
            "dry run": ["import_contacts", str(large), *options, "--dry-run"],
            "import": ["import_contacts", str(large), *options],
            "the same file again": ["import_contacts", str(large), *options],
        }.items():
            show_step(f"import: {name}")
            runs[name] = _run(*command)
        # The second import has put the contacts on a list of its own, so its undo comes first.
        _run("undo_import", str(runs["the same file again"].counts["id"]), "--json")
        show_step("import: undo")
        runs["undo"] = _run("undo_import", str(runs["import"].counts["id"]), "--json")
        show_step("import: reading")
        reading_s = _time_reading(Path(folder), rows=min(rows, SHEET_ROWS))
    chapter.add_table(
        ["", "s", "rows/s", "CPU of the process, s", "of the database, s", "peak memory, MB more", "counts"],
        [
            [
                name, number(run.seconds), number(rows / run.seconds), number(run.process_s), number(run.database_s),
                number(run.peak_mb - base), _counts(run),
            ]
            for name, run in runs.items()
        ],
    )  # fmt: skip
    chapter.parts.append(ABOUT_READING.format(rows=min(rows, SHEET_ROWS)))
    chapter.add_table(
        ["file", "CPU, s", "rows/s"],
        [[name, number(took), number(min(rows, SHEET_ROWS) / took)] for name, took in reading_s.items()],
    )
    chapter.goals += [
        Goal("import", GOAL_IMPORT_S, runs["import"].seconds, "s"),
        Goal("dry run", GOAL_DRY_RUN_S, runs["dry run"].seconds, "s"),
        Goal("undo", GOAL_UNDO_S, runs["undo"].seconds, "s"),
        Goal("memory", GOAL_MEMORY_MB, max(run.peak_mb for run in runs.values()) - base, "MB more"),
    ]
    return chapter


def _run(*command: str) -> Run:
    others, used = backends(), resource.getrusage(resource.RUSAGE_CHILDREN)
    sessions: dict[int, float] = {}  # processor time of each of its sessions, as last seen
    begin = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), "DEBUG": "false"},
        stdout=subprocess.PIPE,
        text=True,
    )
    peak_mb = 0.0
    while process.poll() is None:
        with suppress(OSError, IndexError):  # it has just ended
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak_mb = int(status.partition("VmHWM:")[2].split()[0]) / 1024
        for pid in backends() - others:
            with suppress(OSError):
                sessions[pid] = cpu_seconds([pid])
        time.sleep(0.1)
    seconds = time.monotonic() - begin
    output, _ = process.communicate()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    process_s = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    if process.returncode:
        raise RuntimeError(f"manage.py {' '.join(command)} failed")
    return Run(seconds, process_s, sum(sessions.values()), peak_mb, json.loads(output.splitlines()[-1]))


def _time_reading(folder: Path, *, rows: int) -> dict[str, float]:
    """Return the processor time of reading the same rows from a CSV file and from an Excel file."""
    files = {"CSV": folder / "reading.csv", "XLSX": folder / "reading.xlsx"}
    write_messy_contacts(files["CSV"], rows=rows, seed=3)
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet()
    table = open_table(files["CSV"], "reading.csv")
    for cells in itertools.chain([table.header], (cells for _, cells in table.rows())):
        sheet.append(cells)
    workbook.save(files["XLSX"])
    times = {}
    for name, path in files.items():
        begin = time.process_time()
        for _ in open_table(path, path.name).rows():
            pass
        times[name] = time.process_time() - begin
    return times


def _counts(run: Run) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in run.counts.items() if name != "id" and count)


def _last_import() -> int:
    with all_tenants():
        return Import.objects.order_by("-pk").values_list("pk", flat=True)[0]


@contextmanager
def _company() -> Iterator[None]:
    with all_tenants():
        company = Company.objects.create(name="Imports", slug=SLUG, timezone="America/Denver")
    try:
        yield
    finally:
        with all_tenants():
            for model in TABLES:
                rows = model._base_manager.filter(company=company)
                rows._raw_delete(rows.db)
            execute(f"DELETE FROM companies WHERE id = {company.pk}")  # a number

"""Background tasks of a demo company: its imports, with the file that one of them made."""

import json
import zlib
from collections import Counter

from crm.choices import ImportState, RowUndo, RowVerdict, TaskState
from crm.services.imports.reading.headers import fingerprint_of
from crm.services.stored_files import LEVEL
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Binary
from ops.demo.calendar import HOUR, stamp

REJECTED = b"Name,Phone,Reason\r\nRobin,,There is no phone number.\r\n"


HEADER = ["Name", "Phone"]
MAPPING = {"header": HEADER, "columns": {"Name": "full_name", "Phone": "phone"}}
ROWS = [
    (RowVerdict.CREATED, RowUndo.REVERSED),
    (RowVerdict.UPDATED, RowUndo.KEPT),
    (RowVerdict.UNCHANGED, ""),
    (RowVerdict.MERGED_IN_FILE, RowUndo.ERRORED),
    (RowVerdict.REJECTED, ""),
]


def add_background_tasks(writer: ActivityWriter) -> None:
    """Add a task in each state that doesn't change any more."""
    setup = writer.setup
    begun = writer.end - 20 * HOUR
    tables, company = setup.tables, {"company": setup.company}
    file = tables["stored_files"].add(
        **company, name="Rejected rows.csv", content_type="text/csv", size=len(REJECTED), created_by=setup.manager,
        created_at=stamp(begun), expires_at=stamp(begun + 30 * 24 * HOUR),
    )  # fmt: skip
    chunk = Binary(zlib.compress(REJECTED, LEVEL))
    tables["stored_file_chunks"].add(**company, file=file, position=0, data=chunk)
    for number, state in enumerate((ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED, ImportState.UNDONE)):
        at = {"created_at": stamp(begun + number * HOUR), "ended_at": stamp(begun + number * HOUR)}
        failed, cancelled = state == ImportState.FAILED, state == ImportState.CANCELLED
        task = tables["background_tasks"].add(
            **company, **at, kind="import", done=200, total=200, requested_by=setup.manager,
            state=state if failed or cancelled else TaskState.DONE, started_at=at["created_at"],
            result_file=None if number else file, cancel_requested=cancelled,
            error_code="error" if failed else "", error="An internal error ended it." if failed else "",
        )  # fmt: skip
        rows = [] if failed else ROWS
        source = tables["imports"].add(
            **company, **at, name="Neighbors.csv", header=json.dumps(HEADER), header_key=fingerprint_of(HEADER),
            mapping=json.dumps(MAPPING), state=state, file_rows=len(rows), rows=len(rows), task=task,
            created_by=setup.manager, **Counter(verdict.value for verdict, _ in rows),
        )  # fmt: skip
        for n, (verdict, undo) in enumerate(rows):
            rejected = verdict == RowVerdict.REJECTED
            cells = ["", ""] if rejected else ["Robin", setup.numbers[n]]
            tables["import_rows"].add(
                **company, source=source, n=n + 2, cells=json.dumps(cells),
                verdict=verdict, contact_id=None if rejected else setup.first_contact + n,
                reason="no_phone" if rejected else "", detail="No phone number." if rejected else "",
                undo=undo if state == ImportState.UNDONE else "",
            )  # fmt: skip

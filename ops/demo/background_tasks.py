"""Background tasks of a demo company, with the file that one of them made."""

import zlib

from crm.choices import TaskState
from crm.services.stored_files import LEVEL
from ops.demo.activity_writer import ActivityWriter
from ops.demo.bulk_writer import Binary
from ops.demo.calendar import HOUR, stamp

REJECTED = b"Name,Phone,Reason\r\nRobin,,There is no phone number.\r\n"


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
    for number, state in enumerate(TaskState.ended()):
        failed = state == TaskState.FAILED
        tables["background_tasks"].add(
            **company, kind="import", state=state, done=200, total=200, requested_by=setup.manager,
            result_file=None if number else file, cancel_requested=state == TaskState.CANCELLED,
            error_code="error" if failed else "", error="An internal error ended it." if failed else "",
            created_at=stamp(begun + number * HOUR), started_at=stamp(begun + number * HOUR),
            ended_at=stamp(begun + number * HOUR),
        )  # fmt: skip

"""Streaming of rows into the database in batches of all tables, so that memory use stays constant.

Ids are assigned here, so that a row can refer to one that isn't written yet. Both databases read the values alike:
times are texts such as `2026-03-01 09:30:00` in UTC, decimals and JSON are texts.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Max
from django.db.models.expressions import DatabaseDefault
from django.utils.timezone import now

BATCH = 60_000  # rows in memory, over all tables

# Every table that the demo fills, each after those that it refers to.
MODELS = (
    "crm.Company", "crm.User", "crm.ApiToken", "crm.CalendarFeed", "crm.PhoneLine", "crm.Contact", "crm.ContactPhone",
    "crm.ContactFlag", "crm.Tag",
    "crm.ContactTag", "crm.ContactField", "crm.ContactFieldValue", "crm.ContactList", "crm.ContactListEntry",
    "crm.ContactMerge", "crm.DuplicateCandidate", "crm.Lead", "crm.Conversation", "crm.Activity", "crm.OptOut",
    "crm.OptOutEntry", "crm.MarketingConsent", "crm.Segment", "crm.StoredFile", "crm.StoredFileChunk",
    "crm.BackgroundTask", "crm.Import", "crm.ImportRow", "crm.Campaign", "crm.CampaignStep", "crm.CampaignMembership",
    "crm.Invoice", "calls.Call", "calls.CallDetail", "calls.MissedCaller", "calls.Appointment",
    "calls.AppointmentProposal", "calls.Attachment", "calls.Task", "calls.TimeOff", "messaging.Snippet",
    "messaging.Message", "messaging.AppointmentReminder", "messaging.WebhookEvent", "analytics.CallAnalysis",
    "crm.ContactSearchKey",
)  # fmt: skip
TRIGGERED = "call_objections"  # filled by triggers

Value = str | int | bool | bytes | None
Rows = list[tuple[Value, ...]]
Progress = Callable[[str, int], None]  # called with a table's name and the number of new rows


class Binary(bytes):
    """Bytes that CSV writes as PostgreSQL reads them."""

    def __str__(self) -> str:
        return f"\\x{self.hex()}"


class Table:
    """Rows of one model that wait to be written. Columns and their defaults are the model's."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model, self.name = model, model._meta.db_table
        self.fields = [field for field in model._meta.concrete_fields if not field.generated]
        self.defaults = {field.name: _default(field) for field in self.fields}
        self.columns = _names(self.fields)
        self.has_update_time = "updated_at" in self.defaults
        self.first_id: int = (model._base_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self.next_id = self.first_id
        self.waiting: Rows = []
        self.written = self.analyzed_at = 0

    def add(self, **values: Value) -> int:
        """Add one row, never updated, and return its id; other columns take the model's defaults."""
        row_id = self.next_id
        self.next_id += 1
        # The defaults come first in the merge and name every column, so the values are in the columns' order.
        row = self.defaults | {"id": row_id} | values
        if self.has_update_time:
            row["updated_at"] = row["created_at" if "created_at" in row else "date_joined"]
        self.waiting.append(tuple(row.values()))
        return row_id

    def insert(self, rows: Rows, cursor: Any) -> None:
        places = ", ".join(["%s"] * len(self.fields))
        cursor.executemany(f"INSERT INTO {self.name} ({self.columns}) VALUES ({places})", rows)  # noqa: S608  # the models' names

    def copy(self, rows: io.BytesIO, cursor: Any) -> None:
        """COPY into a staging table and INSERT from it: row-level security refuses COPY into the table itself."""
        names, staging = self.columns, f"demo_{self.name}"
        nullable = _names(field for field in self.fields if field.null)  # demo data has no '' in these
        force_null = f", FORCE_NULL ({nullable})" if nullable else ""
        # One staging table for all batches: a dropped one keeps its locks until the transaction ends, and thousands of
        # them would fill PostgreSQL's lock table.
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ON COMMIT DROP"  # noqa: S608  # the models' names
            f" AS SELECT {names} FROM {self.name} WITH NO DATA"
        )
        # In one piece: each piece would hand Python's lock to the thread that makes the next batch.
        size = rows.getbuffer().nbytes
        cursor.copy_expert(f"COPY {staging} FROM STDIN WITH (FORMAT csv{force_null})", rows, size)
        cursor.execute(f"INSERT INTO {self.name} ({names}) SELECT {names} FROM {staging}")  # noqa: S608  # the models' names
        self.written += cursor.rowcount
        cursor.execute(f"TRUNCATE {staging}")
        # Autovacuum can't see the rows before the transaction ends. Without statistics, foreign keys would still be
        # checked by the plans for an empty table: through all rows of a company.
        if self.written >= 10 * self.analyzed_at:
            cursor.execute(f"ANALYZE {self.name}")
            self.analyzed_at = self.written


class Tables(dict[str, Table]):
    """The tables of the demo, by name.

    Inside `with`, a thread writes a batch while the next one is made: PostgreSQL works on a processor of its own. Call
    `write` before reading the rows or writing by other means.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__((table.name, table) for table in map(Table, map(apps.get_model, MODELS)))
        self.progress = progress
        self.connection = connections[DEFAULT_DB_ALIAS]  # the thread's own would be in another transaction
        self.postgresql = self.connection.vendor == "postgresql"
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo")
        self.writing: Future[None] | None = None

    def __enter__(self) -> "Tables":
        self.connection.inc_thread_sharing()
        # Deferred, the checks of millions of foreign keys would queue in the server's memory. In a transaction with
        # savepoints even finished checks stay queued, and each further batch would look through all of them.
        self._check_foreign_keys("IMMEDIATE")
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        # A write must not go on after a rollback, outside of the transaction.
        self.thread.shutdown()
        self.connection.dec_thread_sharing()
        if failure is None:
            self._check_foreign_keys("DEFERRED")

    def write_when_full(self) -> None:
        """Write all waiting rows if they fill a batch."""
        if sum(len(table.waiting) for table in self.values()) >= BATCH:
            self._hand_over()

    def write(self) -> None:
        self._hand_over()
        self._wait()

    def finish(self) -> None:
        """Write the rest, set the sequences to the last ids, and update PostgreSQL's statistics."""
        self.write()
        statements = self.connection.ops.sequence_reset_sql(no_style(), [table.model for table in self.values()])
        if self.postgresql:
            # Rows of triggers, too. The session caches the plan by which deleting a call finds its objections. Made
            # without statistics, it reads all objections of the company.
            statements.append(f"ANALYZE {', '.join(self)}, {TRIGGERED}")
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _hand_over(self) -> None:
        batch: list[Callable[[Any], None]] = []
        for table in self.values():
            if rows := table.waiting:
                batch.append(partial(table.copy, _csv(rows)) if self.postgresql else partial(table.insert, rows))
                table.waiting = []
                self.progress(table.name, len(rows))
        self._wait()
        self.writing = self.thread.submit(self._write, batch)

    def _wait(self) -> None:
        if self.writing:
            self.writing.result()

    def _write(self, batch: list[Callable[[Any], None]]) -> None:
        with self.connection.cursor() as cursor:
            for write in batch:
                write(cursor)

    def _check_foreign_keys(self, when: str) -> None:
        if self.postgresql:
            with self.connection.cursor() as cursor:
                cursor.execute(f"SET CONSTRAINTS ALL {when}")


def _default(field: models.Field) -> Value:
    if field.default is now:
        return None  # equal arguments make equal rows, so each time must be given: NOT NULL ensures it
    default: Any = field.get_default()
    if isinstance(default, DatabaseDefault):
        default = field.db_default
    return json.dumps(default) if isinstance(field, models.JSONField) else default


def _names(fields: Iterable[models.Field]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _csv(rows: Rows) -> io.BytesIO:
    """Return the rows as CSV, which C writes several times faster than Python escapes. It quotes NULL like ''."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
    return io.BytesIO(text.getvalue().encode())

"""How demo rows get into the database: streamed, a batch of every table at a time, so that memory stays flat.

Rows are plain values with ids of their own, so that a row can name another that is still on its way. Values are what
both databases read alike: times as the text `2026-03-01 09:30:00` in UTC, decimals and JSON as text.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Max
from django.utils.timezone import now

from analytics.models import CallAnalysis, CallObjection
from calls.models import Appointment, Call, CallDetail, MissedCaller
from crm.models import (
    Activity,
    Campaign,
    CampaignMembership,
    Company,
    Contact,
    ContactFlag,
    ContactPhone,
    Conversation,
    Invoice,
    Lead,
    OptOut,
    OptOutEntry,
    PhoneLine,
    User,
)
from messaging.models import Message, WebhookEvent

BATCH = 60_000  # rows on their way, over all tables

Value = str | int | bool | bytes | None
Rows = list[tuple[Value, ...]]
Batch = tuple[int, Rows | io.BytesIO]  # how many rows, and they themselves: for PostgreSQL as the CSV that COPY reads
Progress = Callable[[str, int], None]  # told the table and how many rows more it has


class Table:
    """The rows of one model that wait to be written. Columns and their defaults are the model's."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.fields = [field for field in model._meta.concrete_fields if not field.generated]
        self.defaults = {field.name: _default(field) for field in self.fields}
        self.first_id: int = (model._base_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self.next_id = self.first_id
        self.waiting: Rows = []
        self.written = self.analyzed_at = 0

    def add(self, **values: Value) -> int:
        """Put one row on its way and return its id. Columns that are not named take the model's default."""
        row_id = self.next_id
        self.next_id += 1
        # The defaults come first in the merge and name every column, so the values stand in the columns' order.
        self.waiting.append(tuple((self.defaults | {"id": row_id} | values).values()))
        return row_id

    def take(self, vendor: str) -> Batch:
        """The rows that wait, which then wait no more, as the database takes them."""
        rows = self.waiting[:]
        self.waiting.clear()
        return len(rows), _csv(self.fields, rows) if vendor == "postgresql" else rows

    def write(self, connection: BaseDatabaseWrapper, batch: Batch) -> None:
        """Write what `take` gave, in a thread that may be another."""
        count, rows = batch
        name = self.model._meta.db_table
        self.written += count
        with connection.cursor() as cursor:
            if not isinstance(rows, io.BytesIO):
                _insert_rows(cursor, name, self.fields, rows)
                return
            _copy_rows(cursor, name, self.fields, rows)
            # Nobody else tells the planner before the end of the transaction, and foreign keys would go on to be
            # checked by the plans that were best for an empty table: through all rows of a company.
            if self.written >= 10 * self.analyzed_at:
                cursor.execute(f"ANALYZE {name}")
                self.analyzed_at = self.written


class Tables:
    """Every table that the demo fills, those that others point at first.

    Inside `with`, a batch is written while the next one is made: PostgreSQL works on a processor of its own. Whoever
    reads what was written, or writes by other ways, calls `write` before.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.companies = Table(Company)
        self.users = Table(User)
        self.phone_lines = Table(PhoneLine)
        self.contacts = Table(Contact)
        self.contact_phones = Table(ContactPhone)
        self.contact_flags = Table(ContactFlag)
        self.leads = Table(Lead)
        self.conversations = Table(Conversation)
        self.activities = Table(Activity)
        self.opt_outs = Table(OptOut)
        self.opt_out_entries = Table(OptOutEntry)
        self.campaigns = Table(Campaign)
        self.memberships = Table(CampaignMembership)
        self.invoices = Table(Invoice)
        self.calls = Table(Call)
        self.call_details = Table(CallDetail)
        self.missed_callers = Table(MissedCaller)
        self.appointments = Table(Appointment)
        self.messages = Table(Message)
        self.webhook_events = Table(WebhookEvent)
        self.analyses = Table(CallAnalysis)
        self.all = [table for table in vars(self).values() if isinstance(table, Table)]
        self.queues = [table.waiting for table in self.all]
        self.connection = connections[DEFAULT_DB_ALIAS]  # the thread's own would be in another transaction
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo")
        self.writing: Future[None] | None = None

    def __enter__(self) -> "Tables":
        self.connection.inc_thread_sharing()
        # Deferred, the checks of millions of foreign keys would queue in the server's memory, and in a transaction with
        # savepoints even those that are done: each further batch would look through them all.
        self._check_foreign_keys("IMMEDIATE")
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        # What is being written must not go on after a rollback, outside of the transaction.
        self.thread.shutdown()
        self.connection.dec_thread_sharing()
        if failure is None:
            self._check_foreign_keys("DEFERRED")

    def write_when_full(self) -> None:
        """Have all that waits written once it makes a batch."""
        if sum(map(len, self.queues)) >= BATCH:
            self._hand_over()

    def write(self) -> None:
        """Write all that waits."""
        self._hand_over()
        self._wait()

    def _hand_over(self) -> None:
        batches = [(table, table.take(self.connection.vendor)) for table in self.all if table.waiting]
        self._wait()
        self.writing = self.thread.submit(self._write, batches)
        for table, (count, _) in batches:
            self.progress(table.model._meta.db_table, count)

    def _wait(self) -> None:
        if self.writing:
            self.writing.result()

    def _write(self, batches: list[tuple[Table, Batch]]) -> None:
        for table, batch in batches:
            table.write(self.connection, batch)

    def _check_foreign_keys(self, when: str) -> None:
        if self.connection.vendor == "postgresql":
            with self.connection.cursor() as cursor:
                cursor.execute(f"SET CONSTRAINTS ALL {when}")

    def finish(self) -> None:
        """Write the rest, let the sequences go on from the last ids, and tell PostgreSQL's planner what is there."""
        self.write()
        written = [table.model for table in self.all]
        with self.connection.cursor() as cursor:
            for statement in self.connection.ops.sequence_reset_sql(no_style(), written):
                cursor.execute(statement)
            if self.connection.vendor == "postgresql":
                # Also what triggers wrote: to delete a call is to look for its objections, by a plan that a session
                # keeps, and one made without statistics reads all those of the company.
                names = ", ".join(model._meta.db_table for model in written)
                cursor.execute(f"ANALYZE {names}, {CallObjection._meta.db_table}")

    def counts(self) -> dict[str, int]:
        """How many rows were written, by table."""
        return {table.model._meta.db_table: table.written for table in self.all}


def _default(field: models.Field) -> Value:
    if field.default is now:
        return None  # the same arguments make the same rows, so each time has to be given: NOT NULL sees to it
    default = field.get_default()
    return json.dumps(default) if isinstance(field, models.JSONField) else default


def _names(fields: Iterable[models.Field]) -> str:
    return ", ".join(f'"{field.column}"' for field in fields)


def _insert_rows(cursor: Any, table: str, fields: Sequence[models.Field], rows: Rows) -> None:
    values = ", ".join(["%s"] * len(fields))
    cursor.executemany(f"INSERT INTO {table} ({_names(fields)}) VALUES ({values})", rows)  # noqa: S608  # names of our own models


def _csv(fields: Sequence[models.Field], rows: Rows) -> io.BytesIO:
    """Written in C, several times faster than escaping in Python. It quotes NULL like an empty text."""
    binary = [position for position, field in enumerate(fields) if isinstance(field, models.BinaryField)]
    if binary:
        rows = [_with_hex(row, binary) for row in rows]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def _copy_rows(cursor: Any, table: str, fields: Sequence[models.Field], rows: io.BytesIO) -> None:
    """COPY into a temporary table and INSERT from it: row-level security refuses COPY into the table itself."""
    names = _names(fields)
    nullable = _names(field for field in fields if field.null)  # where none of our texts is empty
    force_null = f", FORCE_NULL ({nullable})" if nullable else ""
    # One staging table for all batches: each that is dropped would keep its locks until the transaction ends, and
    # some thousands of them fill PostgreSQL's lock table.
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS demo_{table} ON COMMIT DROP"  # noqa: S608  # names of our own models
        f" AS SELECT {names} FROM {table} WITH NO DATA"
    )
    # All at once: for each piece Python's lock changes hands, while the next batch is being made.
    whole = rows.getbuffer().nbytes
    cursor.copy_expert(f"COPY demo_{table} FROM STDIN WITH (FORMAT csv{force_null})", rows, whole)
    cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM demo_{table}")  # noqa: S608  # names of our own models
    cursor.execute(f"TRUNCATE demo_{table}")


def _with_hex(row: tuple, binary: list[int]) -> tuple:
    return tuple(f"\\x{value.hex()}" if position in binary else value for position, value in enumerate(row))

"""How demo rows get into the database: streamed, a batch of every table at a time, so that memory stays flat.

Rows are plain values with ids of their own, so that a row can name another that is still on its way. Values are what
both databases read alike: times as the text `2026-03-01 09:30:00` in UTC, decimals and JSON as text.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence

from django.core.management.color import no_style
from django.db import connection, models
from django.db.models import Max
from django.utils.timezone import now

from analytics.models import CallAnalysis
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

BATCH = 20_000  # rows on their way, over all tables

Value = str | int | bool | bytes | None
Progress = Callable[[str, int], None]  # told the table and how many rows more it has


class Table:
    """The rows of one model that wait to be written. Columns and their defaults are the model's."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.fields = [field for field in model._meta.concrete_fields if not field.generated]
        self.defaults = {field.name: _default(field) for field in self.fields}
        self.first_id: int = (model._base_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
        self.next_id = self.first_id
        self.waiting: list[tuple[Value, ...]] = []
        self.written = 0

    def add(self, **values: Value) -> int:
        """Put one row on its way and return its id. Columns that are not named take the model's default."""
        row_id = self.next_id
        self.next_id += 1
        # The defaults come first in the merge and name every column, so the values stand in the columns' order.
        self.waiting.append(tuple((self.defaults | {"id": row_id} | values).values()))
        return row_id

    def write(self) -> int:
        """Write the waiting rows and return how many they were."""
        rows = len(self.waiting)
        if rows:
            write_rows = _copy_rows if connection.vendor == "postgresql" else _insert_rows
            write_rows(self.model._meta.db_table, self.fields, self.waiting)
            self.waiting.clear()
            self.written += rows
        return rows


class Tables:
    """Every table that the demo fills, those that others point at first."""

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

    def write_when_full(self) -> None:
        """Write all that waits once it makes a batch."""
        if sum(map(len, self.queues)) >= BATCH:
            self.write()

    def write(self) -> None:
        """Write all that waits."""
        for table in self.all:
            if rows := table.write():
                self.progress(table.model._meta.db_table, rows)
        if connection.vendor == "postgresql":
            # Foreign keys are deferred: unless asked for now, millions of checks would queue in the server's memory.
            connection.check_constraints()

    def finish(self) -> None:
        """Write the rest, let the sequences go on from the last ids, and tell PostgreSQL's planner what is there."""
        self.write()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), [table.model for table in self.all]):
                cursor.execute(statement)
            if connection.vendor == "postgresql":
                cursor.execute(f"ANALYZE {', '.join(table.model._meta.db_table for table in self.all)}")

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


def _insert_rows(table: str, fields: Sequence[models.Field], rows: list[tuple]) -> None:
    values = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({_names(fields)}) VALUES ({values})", rows)  # noqa: S608  # names of our own models


def _copy_rows(table: str, fields: Sequence[models.Field], rows: list[tuple]) -> None:
    """COPY into a temporary table and INSERT from it: row-level security refuses COPY into the table itself."""
    binary = [position for position, field in enumerate(fields) if isinstance(field, models.BinaryField)]
    if binary:
        rows = [_with_hex(row, binary) for row in rows]
    text = io.StringIO(newline="")
    # Written in C, several times faster than escaping in Python. It quotes NULL like an empty text: FORCE_NULL tells
    # the nullable columns, where none of ours is empty.
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(rows)
    text.seek(0)
    names = _names(fields)
    nullable = _names(field for field in fields if field.null)
    force_null = f", FORCE_NULL ({nullable})" if nullable else ""
    with connection.cursor() as cursor:
        # One staging table for all batches: each that is dropped would keep its locks until the transaction ends, and
        # some thousands of them fill PostgreSQL's lock table.
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS demo_{table} ON COMMIT DROP"  # noqa: S608  # names of our own models
            f" AS SELECT {names} FROM {table} WITH NO DATA"
        )
        cursor.copy_expert(f"COPY demo_{table} FROM STDIN WITH (FORMAT csv{force_null})", text)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM demo_{table}")  # noqa: S608  # names of our own models
        cursor.execute(f"TRUNCATE demo_{table}")


def _with_hex(row: tuple, binary: list[int]) -> tuple:
    return tuple(f"\\x{value.hex()}" if position in binary else value for position, value in enumerate(row))

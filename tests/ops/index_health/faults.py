"""Faults of indexes to plant in a healthy database, with the findings that they cause.

All of them can be planted in one database at once. Unused indexes come last, because other faults use indexes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import DatabaseError, connection

from ops.index_health.findings import FindingKind
from tests.db.scratch import another_session, set_in_session
from tests.ops.index_health.databases import run, superuser

Found = tuple[FindingKind, str]
"""A kind of finding, and its index or else its table."""

SQLITE, POSTGRES = "sqlite", "postgresql"


@dataclass(frozen=True)
class Fault:
    """A fault with the statements or function that plant it.

    `finds` is its finding; `also` are further true findings: a duplicate index, for example, is extra as well.
    """

    name: str
    plant: tuple[str, ...] | Callable[[], None]
    finds: Found
    also: frozenset[Found] = frozenset()
    settings: dict[str, Any] = field(default_factory=dict)
    databases: tuple[str, ...] = (POSTGRES,)

    def do(self) -> None:
        self.plant() if callable(self.plant) else run(*self.plant)


def extra(index: str) -> frozenset[Found]:
    return frozenset({(FindingKind.EXTRA, index)})


def break_unique_build() -> None:
    """Build a unique index over contacts without an email address, which are equal."""
    run("DROP INDEX idx_contact_email")
    with pytest.raises(DatabaseError, match="idx_contact_email"):
        run("CREATE UNIQUE INDEX CONCURRENTLY idx_contact_email ON contacts (email)")


def cancel_build() -> None:
    """Let an old transaction block the build for longer than the lock timeout."""
    run("DROP INDEX idx_contact_last_name")
    set_in_session(lock_timeout="200ms")
    with another_session() as old:
        old.execute("LOCK TABLE contacts IN ROW EXCLUSIVE MODE")
        with pytest.raises(DatabaseError, match="lock timeout"):
            run("CREATE INDEX CONCURRENTLY idx_contact_last_name ON contacts (last_name)")
    set_in_session(lock_timeout="0")


def cancel_reindex() -> None:
    set_in_session(lock_timeout="200ms")
    with another_session() as old:
        old.execute("LOCK TABLE leads IN ROW EXCLUSIVE MODE")
        with pytest.raises(DatabaseError, match="lock timeout"):
            run("REINDEX INDEX CONCURRENTLY ix_leads_contact_id")
    set_in_session(lock_timeout="0")


UNUSED = ("ix_calls_company_id_booked", "calls_by_duration")


def use_all_but_the_unused() -> None:
    """Scan each index in a transaction that hides the table's other indexes from the planner."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.indexrelid, i.indrelid, quote_ident(t.relname), pg_get_indexdef(i.indexrelid, 1, false),
                m.amname, pg_get_expr(i.indpred, i.indrelid)
            FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_class t ON t.oid = i.indrelid
            JOIN pg_am m ON m.oid = c.relam
            WHERE i.indisvalid AND t.relnamespace = 'public'::regnamespace AND c.relname <> ALL(%s)
            """,
            [[*UNUSED]],
        )
        indexes = cursor.fetchall()
    with superuser() as cursor:
        cursor.execute("SET enable_seqscan = off")
        for index, table, name, key, method, predicate in indexes:
            asked = f"{key} = ''" if method == "hash" else f"{key} IS NOT NULL"
            cursor.execute("SAVEPOINT before")
            cursor.execute("UPDATE pg_index SET indisvalid = (indexrelid = %s) WHERE indrelid = %s", [index, table])
            cursor.execute(f"SELECT count({key}) FROM {name} WHERE {asked} AND {predicate or 'true'}")
            cursor.execute("ROLLBACK TO SAVEPOINT before")


def use_all_but_an_extra_one() -> None:
    run("CREATE INDEX calls_by_duration ON calls (duration_s)")
    use_all_but_the_unused()


def changed(index: str, definition: str) -> tuple[str, ...]:
    return (f"DROP INDEX {index}", f"CREATE INDEX {index} ON {definition}")


BOTH = (POSTGRES, SQLITE)

FAULTS = [
    Fault(
        "a declared index was dropped",
        ("DROP INDEX ix_calls_created_at",),
        (FindingKind.MISSING, "ix_calls_created_at"),
        databases=BOTH,
    ),
    Fault(
        "a unique constraint was dropped",
        ("ALTER TABLE contact_phones DROP CONSTRAINT contact_phones_company_id_phone_unique",),
        (FindingKind.MISSING, "contact_phones_company_id_phone_unique"),
    ),
    Fault(
        "a unique index was dropped",
        ("DROP INDEX missed_callers_contact_id_unique",),
        (FindingKind.MISSING, "missed_callers_contact_id_unique"),
        databases=BOTH,
    ),
    Fault(
        "a declared index was renamed",
        ("ALTER INDEX idx_invoice_status_due RENAME TO invoices_due",),
        (FindingKind.MISSING, "idx_invoice_status_due"),
    ),
    Fault(
        "an undeclared index was added",
        ("CREATE INDEX calls_by_price ON calls (quoted_price)",),
        (FindingKind.EXTRA, "calls_by_price"),
        databases=BOTH,
    ),
    Fault(
        "a table without a model has an index",
        ("CREATE TABLE calls_before_2020 (id bigint)", "CREATE INDEX calls_before_2020_id ON calls_before_2020 (id)"),
        (FindingKind.EXTRA, "calls_before_2020_id"),
        databases=BOTH,
    ),
    Fault(
        "an index with another operator class isn't a duplicate",
        ("CREATE INDEX contacts_by_email_pattern ON contacts (email varchar_pattern_ops)",),
        (FindingKind.EXTRA, "contacts_by_email_pattern"),
    ),
    Fault(
        "an index with one of two keys reversed isn't a prefix",
        ("CREATE INDEX events_mixed ON webhook_events (company_id, created_at DESC)",),
        (FindingKind.EXTRA, "events_mixed"),
        databases=BOTH,
    ),
    Fault(
        "a B-tree replaces a hash index",
        changed("idx_contact_phone_hash", "contacts USING btree (phone)"),
        (FindingKind.CHANGED, "idx_contact_phone_hash"),
    ),
    Fault(
        "the keys are in another order",
        changed("ix_calls_company_id_status", "calls (status, company_id)"),
        (FindingKind.CHANGED, "ix_calls_company_id_status"),
        databases=BOTH,
    ),
    Fault(
        "a key descends",
        changed("ix_invoices_company_id_created_at", "invoices (company_id, created_at DESC)"),
        (FindingKind.CHANGED, "ix_invoices_company_id_created_at"),
        databases=BOTH,
    ),
    Fault(
        "the condition is different",
        changed("ix_missed_callers_created_at_text_back_due", "missed_callers (created_at) WHERE text_back <> 'due'"),
        (FindingKind.CHANGED, "ix_missed_callers_created_at_text_back_due"),
        databases=BOTH,
    ),
    Fault(
        "the included column is missing",
        changed("ix_call_objections_company_id_analyzed_at_label", "call_objections (company_id, analyzed_at, label)"),
        (FindingKind.CHANGED, "ix_call_objections_company_id_analyzed_at_label"),
    ),
    Fault(
        "a unique constraint has its columns in another order",
        (
            "ALTER TABLE suppressed_numbers DROP CONSTRAINT suppressed_numbers_company_id_number_hash_unique",
            "ALTER TABLE suppressed_numbers ADD CONSTRAINT suppressed_numbers_company_id_number_hash_unique"
            " UNIQUE (number_hash, company_id)",
        ),
        (FindingKind.CHANGED, "suppressed_numbers_company_id_number_hash_unique"),
    ),
    Fault(
        "the operator class is different",
        changed("idx_contact_first_name", "contacts (first_name varchar_pattern_ops)"),
        (FindingKind.CHANGED, "idx_contact_first_name"),
    ),
    Fault("a unique build met duplicate rows", break_unique_build, (FindingKind.INVALID, "idx_contact_email")),
    Fault("a build was cancelled", cancel_build, (FindingKind.INVALID, "idx_contact_last_name")),
    Fault("a rebuild was cancelled", cancel_reindex, (FindingKind.INVALID, "ix_leads_contact_id_ccnew")),
    Fault(
        "an index exists twice",
        ("CREATE INDEX appointments_by_start ON appointments (company_id, scheduled_start)",),
        (FindingKind.DUPLICATE, "appointments_by_start"),
        extra("appointments_by_start"),
        databases=BOTH,
    ),
    Fault(
        "an index repeats a unique constraint",
        ("CREATE INDEX contacts_by_number ON contacts (company_id, phone)",),
        (FindingKind.DUPLICATE, "contacts_by_number"),
        extra("contacts_by_number"),
        databases=BOTH,
    ),
    Fault(
        "the first key of another index",
        ("CREATE INDEX appointments_by_contact ON appointments (contact_id)",),
        (FindingKind.PREFIX, "appointments_by_contact"),
        extra("appointments_by_contact"),
        databases=BOTH,
    ),
    Fault(
        "the first key of another index, reversed",
        ("CREATE INDEX analyses_by_call ON call_analysis (call_id DESC)",),
        (FindingKind.PREFIX, "analyses_by_call"),
        extra("analyses_by_call"),
    ),
    Fault(
        "a partial index with the keys of a full one",
        ("CREATE INDEX leads_open ON leads (company_id, created_at) WHERE status = 'new'",),
        (FindingKind.COVERED, "leads_open"),
        extra("leads_open"),
        databases=BOTH,
    ),
    Fault(
        "a partial index with the keys of one with a wider condition",
        (
            "CREATE INDEX opt_outs_new ON opt_outs (company_id, created_at)"
            " WHERE state = 'under_review' AND channel = 'sms'",
        ),
        (FindingKind.COVERED, "opt_outs_new"),
        extra("opt_outs_new"),
        databases=BOTH,
    ),
    Fault(
        "a foreign key without an index",
        ("ALTER TABLE invoices ADD COLUMN campaign_id bigint REFERENCES campaigns",),
        (FindingKind.FOREIGN_KEY, "invoices"),
    ),
    Fault(
        "a foreign key with the company, with an index on the company only",
        (
            "ALTER TABLE leads ADD COLUMN line_id bigint,"
            " ADD FOREIGN KEY (company_id, line_id) REFERENCES phone_lines (company_id, id)",
        ),
        (FindingKind.FOREIGN_KEY, "leads"),
    ),
    Fault(
        "an index is large",
        (
            "INSERT INTO minute_counters SELECT lpad(n::text, 90, '0'), 0, 0 FROM generate_series(1, 20000) n",
            "SELECT pg_stat_force_next_flush()",  # rows counted after ANALYZE would make the statistics stale
            "ANALYZE minute_counters",
        ),
        (FindingKind.LARGE, "minute_counters_pkey"),
        settings={"INDEX_LARGE_BYTES": 1024**2},
    ),
    Fault(
        "a declared index is not used",
        use_all_but_the_unused,
        (FindingKind.UNUSED, "ix_calls_company_id_booked"),
        settings={"INDEX_UNUSED_DAYS": 0},
    ),
    Fault(
        "an added index is not used",
        use_all_but_an_extra_one,
        (FindingKind.UNUSED, "calls_by_duration"),
        frozenset({(FindingKind.EXTRA, "calls_by_duration"), (FindingKind.UNUSED, "ix_calls_company_id_booked")}),
        settings={"INDEX_UNUSED_DAYS": 0},
    ),
]

SQL_REMEDIES = {
    FindingKind.MISSING,
    FindingKind.EXTRA,
    FindingKind.CHANGED,
    FindingKind.INVALID,
    FindingKind.DUPLICATE,
    FindingKind.PREFIX,
    FindingKind.COVERED,
}
SOLVED_BY_SQL = [fault for fault in FAULTS if fault.finds[0] in SQL_REMEDIES]

"""Faults that rows and statements cause: bloat, dead rows, stale statistics, unanswered questions, slow statements."""

import pytest
from django.db import connection

from ops.index_health.findings import FindingKind
from tests.ops.index_health.databases import run, superuser
from tests.ops.index_health.faults import Fault, extra

FLUSH = "SELECT pg_stat_force_next_flush()"  # the server counts the session's work now, not up to a second later
COUNTERS = "INSERT INTO minute_counters SELECT repeat('x', 80) || n, n, 0 FROM generate_series(1, 20000) n"
DELETE_NINE_IN_TEN = (
    "DELETE FROM minute_counters WHERE minute % 10 <> 0",
    FLUSH,
    "VACUUM ANALYZE minute_counters",
    FLUSH,
)
NO_AUTOVACUUM = "ALTER TABLE minute_counters SET (autovacuum_enabled = off)"
# Without audit entries: of rows of one table alone, the kind of row would not lead to few of them.
CONTACTS = """
    SELECT set_config('crm.recorded', 'off', true);
    INSERT INTO contacts (company_id, first_name, last_name, phone, email, address, city, state, postal_code, timezone,
                          created_at, updated_at)
    SELECT (SELECT min(id) FROM companies), 'Sam', 'Doe' || n, 'caller-' || n, '', '', 'Town' || n, '', '', '',
        now() - n * interval '1 minute', now()
    FROM generate_series(1, 11000) n
"""


def install(extension: str, *grants: str) -> None:
    with superuser() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [extension])
        if not cursor.fetchone():
            pytest.skip(f"This server has no {extension}.")
        for statement in (f"CREATE EXTENSION IF NOT EXISTS {extension}", *grants):
            cursor.execute(statement)
        cursor.connection.commit()


def install_pgstattuple() -> None:
    install("pgstattuple", f"GRANT pg_stat_scan_tables TO {connection.settings_dict['USER']}")


def bloat_btree() -> None:
    install_pgstattuple()
    run(COUNTERS, *DELETE_NINE_IN_TEN)


def bloat_hash() -> None:
    install_pgstattuple()
    run("CREATE INDEX counters_by_key ON minute_counters USING hash (key)", COUNTERS, *DELETE_NINE_IN_TEN)


def record_statements() -> None:
    """Record statements from now on. The reset makes room: pg_stat_statements keeps 5,000 and drops the newest."""
    install("pg_stat_statements", "SELECT pg_stat_statements_reset()")


def run_slow_statement() -> None:
    record_statements()
    run(CONTACTS, FLUSH, "ANALYZE", "SELECT count(*) FROM contacts WHERE city = 'Nowhere'", FLUSH)


VACUUM_FAULTS = [
    Fault(
        "nine entries in ten of a B-tree were deleted",
        bloat_btree,
        (FindingKind.BLOAT, "minute_counters_pkey"),
    ),
    Fault(
        "nine entries in ten of a hash index were deleted",
        bloat_hash,
        (FindingKind.BLOAT, "counters_by_key"),
        extra("counters_by_key") | {(FindingKind.BLOAT, "minute_counters_pkey")},
        settings={"INDEX_BLOAT_MIN_BYTES": 500_000},
    ),
    Fault(
        "rows are dead and not vacuumed",
        (NO_AUTOVACUUM, COUNTERS, "UPDATE minute_counters SET count = 1 WHERE minute <= 8000", FLUSH, "ANALYZE", FLUSH),
        (FindingKind.DEAD_ROWS, "minute_counters"),
    ),
    Fault(
        "many rows were inserted since the last ANALYZE",
        (NO_AUTOVACUUM, COUNTERS, FLUSH),
        (FindingKind.STALE_STATISTICS, "minute_counters"),
    ),
    Fault(
        "a table was never analyzed",
        (
            "CREATE TABLE calls_before_2020 (id bigint) WITH (autovacuum_enabled = off)",
            "INSERT INTO calls_before_2020 SELECT generate_series(1, 2000)",
            FLUSH,
        ),
        (FindingKind.STALE_STATISTICS, "calls_before_2020"),
    ),
    Fault(
        "an updated column is indexed",
        ("UPDATE invoices SET due_date = due_date + 1", "UPDATE invoices SET due_date = due_date - 1", FLUSH),
        (FindingKind.LOW_HOT_RATIO, "invoices"),
        settings={"HOT_MIN_UPDATES": 40},
    ),
    Fault(
        "an undeclared index answers the question",
        (CONTACTS, "CREATE INDEX contacts_by_name ON contacts (last_name, company_id)", FLUSH, "ANALYZE", FLUSH),
        (FindingKind.UNANSWERED, "idx_contact_last_name"),
        extra("contacts_by_name"),
    ),
    Fault(
        "a slow statement reads a table from end to end",
        run_slow_statement,
        (FindingKind.SLOW_STATEMENT, "contacts"),
        settings={"SLOW_STATEMENT_MS": 0},
    ),
]

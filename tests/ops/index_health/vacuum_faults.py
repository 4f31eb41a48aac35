"""Planted faults of upkeep, of questions and of slow statements: those that rows make, and what was done to rows."""

import pytest
from django.db import connection

from ops.index_health.findings import FindingKind
from tests.ops.index_health.copies import run, superuser
from tests.ops.index_health.faults import POSTGRES, SQLITE, Fault, extra

TOLD = "SELECT pg_stat_force_next_flush()"  # what a session did is counted, else a second later, with what comes next
COUNTERS = "INSERT INTO minute_counters SELECT repeat('x', 80) || n, n, 0 FROM generate_series(1, 20000) n"
ONE_IN_TEN_LEFT = ("DELETE FROM minute_counters WHERE minute % 10 <> 0", TOLD, "VACUUM ANALYZE minute_counters", TOLD)
BY_HAND = "ALTER TABLE minute_counters SET (autovacuum_enabled = off)"
CONTACTS = """
    INSERT INTO contacts (company_id, first_name, last_name, phone, email, address, city, state, postal_code, timezone,
                          created_at, updated_at)
    SELECT (SELECT min(id) FROM companies), 'Sam', 'Doe' || n, 'caller-' || n, '', '', 'Town' || n, '', '', '',
        now() - n * interval '1 minute', now()
    FROM generate_series(1, 20000) n
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


def swell_where_it_is_measured() -> None:
    install_pgstattuple()
    run(COUNTERS, *ONE_IN_TEN_LEFT)


def swell_hash() -> None:
    install_pgstattuple()
    run("CREATE INDEX counters_by_key ON minute_counters USING hash (key)", COUNTERS, *ONE_IN_TEN_LEFT)


def listen_to_statements() -> None:
    """From now on. Where it knows its 5,000 statements, as after a long run, it forgets the newest among the first."""
    install("pg_stat_statements", "SELECT pg_stat_statements_reset()")


def ask_slowly() -> None:
    listen_to_statements()
    run(CONTACTS, TOLD, "VACUUM ANALYZE", "SELECT count(*) FROM contacts WHERE city = 'Nowhere'", TOLD)


UPKEEP_FAULTS = [
    Fault(
        "nine rows in ten went, and the index is estimated",
        (COUNTERS, *ONE_IN_TEN_LEFT),
        (FindingKind.BLOAT, "minute_counters_pkey"),
    ),
    Fault(
        "nine rows in ten went, and the index is measured",
        swell_where_it_is_measured,
        (FindingKind.BLOAT, "minute_counters_pkey"),
    ),
    Fault(
        "nine entries in ten of a hash index went",
        swell_hash,
        (FindingKind.BLOAT, "counters_by_key"),
        extra("counters_by_key") | {(FindingKind.BLOAT, "minute_counters_pkey")},
        settings={"INDEX_BLOAT_MIN_BYTES": 500_000},
    ),
    Fault(
        "rows are dead, and nobody vacuums",
        (BY_HAND, COUNTERS, "UPDATE minute_counters SET count = 1 WHERE minute <= 8000", TOLD, "ANALYZE", TOLD),
        (FindingKind.DEAD_ROWS, "minute_counters"),
    ),
    Fault(
        "many rows came since the last ANALYZE",
        (BY_HAND, COUNTERS, TOLD),
        (FindingKind.STALE_STATISTICS, "minute_counters"),
    ),
    Fault(
        "a table was never analyzed",
        (
            "CREATE TABLE calls_before_2020 (id bigint) WITH (autovacuum_enabled = off)",
            "INSERT INTO calls_before_2020 SELECT generate_series(1, 2000)",
            TOLD,
        ),
        (FindingKind.STALE_STATISTICS, "calls_before_2020"),
    ),
    Fault(
        "what is updated is indexed",
        ("UPDATE invoices SET due_date = due_date + 1", "UPDATE invoices SET due_date = due_date - 1", TOLD),
        (FindingKind.LOW_HOT_RATIO, "invoices"),
        settings={"HOT_MIN_UPDATES": 40},
    ),
    Fault(
        "an index nobody declared answers in its place",
        (CONTACTS, "CREATE INDEX contacts_by_name ON contacts (last_name, company_id)", TOLD, "VACUUM ANALYZE", TOLD),
        (FindingKind.UNANSWERED, "idx_contact_last_name"),
        extra("contacts_by_name") | {(FindingKind.PREFIX, "idx_contact_last_name")},
    ),
    Fault(
        "an index nobody declared answers in its place, for statistics are wrong",
        (
            "CREATE INDEX calls_by_contact ON calls (contact_card_id, status, created_at)",
            "ANALYZE",
            "UPDATE sqlite_stat1 SET stat = '400 100000 100000' WHERE idx = 'ix_calls_contact_card_id_created_at'",
            "ANALYZE sqlite_schema",
        ),
        (FindingKind.UNANSWERED, "ix_calls_contact_card_id_created_at"),
        extra("calls_by_contact"),
        databases=(SQLITE,),
    ),
    Fault(
        "a slow statement reads a table from end to end",
        ask_slowly,
        (FindingKind.SLOW_STATEMENT, "contacts"),
        settings={"SLOW_STATEMENT_MS": 0},
        databases=(POSTGRES,),
    ),
]

"""Tests of the rules against a server: the locks that it takes, and whether it reads or rewrites all rows."""

from collections import defaultdict

import pytest
from django.db import DatabaseError, connection, transaction

from ops.safe_migrations.column_uses import read_uses
from ops.safe_migrations.lock_levels import Lock, Work
from ops.safe_migrations.schema_facts import read_facts
from tests.conftest import postgres_only
from tests.ops.safe_migrations.scratch_tables import PARTITIONS, SETUP, TABLE, USES
from tests.ops.safe_migrations.statement_table import NOT_RUN, ROWS, SCHEMA
from tests.ops.safe_migrations.test_statements import TableFacts, effects_of

pytestmark = [postgres_only, pytest.mark.django_db]

MODES = {"".join(lock.title().split()) + "Lock": lock for lock in Lock}  # names in pg_locks
FAILING = [
    script
    for script, matches in NOT_RUN.items()
    if any(key in ("AT_AddColumn required", "AT_AlterColumnType fixed") for key, _ in matches)
]
FAILING_WHEN_PARTITIONED = [
    script
    for script, matches in NOT_RUN.items()
    if any("partitioned concurrent" in key or "default concurrent" in key for key, _ in matches)
]
BLOCKING = {lock for lock in Lock if lock.blocks_writers}
TEAR_DOWN = """
    DROP TABLE scratch_rows, scratch_referring, scratch_words, scratch_heir, scratch_others, scratch_parted,
        scratch_keyless, scratch_split, scratch_apart, scratch_child, scratch_parent CASCADE;
    DROP VIEW scratch_view;
    DROP MATERIALIZED VIEW scratch_summary;
    DROP FUNCTION scratch_function();
    DROP TYPE scratch_mood;
    DROP DOMAIN scratch_domain, scratch_positive;
    DROP SEQUENCE scratch_sequence;
"""


def predict(statement):
    """Return ({table: its strongest lock}, whether rows are read, whether a table is rewritten)."""
    locks, works = {}, set()
    for effect in effects_of(statement):
        works.add(effect.work)
        if effect.table and effect.lock is not Lock.ACCESS_SHARE:
            locks[effect.table] = max(locks.get(effect.table, effect.lock), effect.lock, key=list(Lock).index)
    return locks, bool(works & {Work.SCAN, Work.BUILD}), Work.REWRITE in works


def run(statement):
    """Return the same of a server, from a transaction that is rolled back."""
    with transaction.atomic(), connection.cursor() as cursor:
        names, files = tables_and_files(cursor)
        before = scans(cursor)
        cursor.execute(statement)
        cursor.execute("SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted")
        locks = defaultdict(set)
        for oid, mode in cursor.fetchall():
            if oid in names:
                locks[names[oid]].add(MODES[mode])
        _, files_after = tables_and_files(cursor)
        rewritten = any(files_after.get(oid, file) != file for oid, file in files.items())
        read = scans(cursor) > before
        transaction.set_rollback(True)
    return locks, read, rewritten


def tables_and_files(cursor):
    cursor.execute(
        "SELECT oid, relname, relfilenode FROM pg_class WHERE relname LIKE 'scratch%' AND relkind IN ('r','p','v','m')"
    )
    rows = cursor.fetchall()
    return {oid: name for oid, name, _ in rows}, {oid: file for oid, _, file in rows}


def scans(cursor):
    """Return the sequential scans of all tables, in this transaction and before."""
    cursor.execute(
        "SELECT coalesce(sum(pg_stat_get_xact_numscans(oid)), 0) FROM pg_class"
        " WHERE relname LIKE 'scratch%' AND relkind IN ('r', 'm')"
    )
    return cursor.fetchone()[0]


@pytest.fixture(scope="module")
def tables(django_db_setup, django_db_blocker):
    """Committed tables: a transaction holds every lock on the tables that it creates. No test changes them."""
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(SETUP)
        yield
        with connection.cursor() as cursor:
            cursor.execute(TEAR_DOWN)


@pytest.mark.parametrize("statement", SCHEMA | ROWS)
def test_rule_locks_the_tables_that_the_server_locks(tables, statement):
    predicted, _, _ = predict(statement)
    locks, _, _ = run(statement)
    assert {table: lock for table, lock in predicted.items() if lock not in locks[table]} == {}
    assert {table for table, modes in locks.items() if modes & BLOCKING} <= set(predicted)


@pytest.mark.parametrize("statement", SCHEMA)
def test_rule_reads_or_rewrites_all_rows_where_the_server_does(tables, statement):
    _, predicted_read, predicted_rewritten = predict(statement)
    _, read, rewritten = run(statement)
    assert predicted_rewritten == rewritten
    assert (predicted_read or predicted_rewritten) == (read or rewritten)


def test_uses_of_columns_are_those_on_the_server(tables):
    with connection.cursor() as cursor:
        assert {use for use in read_uses(cursor) if use.table == TABLE} == {use for use in USES if use.table == TABLE}


def test_facts_of_the_table_are_those_on_the_server(tables):
    read, assumed = read_facts("default"), TableFacts()
    assert {fact for fact in read.never_null if fact[0] in (TABLE, "scratch_keyless")} == assumed.never_null
    assert {fact for fact in read.required if fact[0] == TABLE} >= assumed.required
    assert {key: name for key, name in read.collations.items() if key[0] == TABLE} == assumed.collations
    assert {name for name in read.domains if name.startswith("scratch")} == assumed.domains
    assert read.views >= assumed.views
    assert {reference for reference in read.references if reference.table.startswith("scratch")} == assumed.references
    assert read.partitions == PARTITIONS


@pytest.mark.parametrize("statement", FAILING)
def test_statement_that_is_refused_as_failing_fails_on_the_server(tables, statement):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", FAILING_WHEN_PARTITIONED)
def test_statement_that_no_partitioned_table_allows_is_refused_and_fails(tables, statement):
    [effect] = effects_of(statement)
    assert effect.recommendation.fails
    with pytest.raises(DatabaseError, match="partition"), connection.cursor() as cursor:
        cursor.execute(statement)

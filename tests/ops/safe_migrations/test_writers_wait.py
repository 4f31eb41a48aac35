"""Nobody who writes waits for a migration: real writers in processes of their own, with PostgreSQL as the judge.

    MIGRATE_ROWS=1000000 python -m pytest --database=postgres -s tests/ops/safe_migrations/test_writers_wait.py

has the writers write at full speed to a table of that size, holds them to 100 ms, and prints what it cost them.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection

from tests.conftest import postgres_only
from tests.db.catalogue import PRODUCT_APPS, existing_indexes
from tests.db.scratch import another_session
from tests.ops.safe_migrations import busy
from tests.ops.safe_migrations.blockers import transactions_in_the_way
from tests.ops.safe_migrations.writers import BOUND_MS, IN_THE_WAY_S, MEASURED, measure, writers

pytestmark = postgres_only

ROWS = int(os.environ.get("MIGRATE_ROWS", "20000"))
PAUSE_S = 0 if MEASURED else 0.002  # among the other tests, a processor is left for the migration


@pytest.fixture
def rows(transactional_db):
    yield busy.fill(ROWS)
    call_command("migrate", verbosity=0)


@contextmanager
def busy_writers():
    with writers(busy.statements(), pause=PAUSE_S) as figures:
        yield figures


def down():
    for app in reversed(PRODUCT_APPS):
        call_command("migrate_safely", app, "0001")


def up():
    call_command("migrate_safely")


def columns_of_calls():
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, "calls")}


READER = "SELECT 1 FROM calls LIMIT 1"
WRITER = "UPDATE calls SET duration_s = 1 WHERE id = (SELECT max(id) FROM calls)"


def test_no_write_waits_while_every_index_is_dropped_and_built(rows, capsys):
    before = existing_indexes()
    quiet = measure(busy.statements(), seconds=max(1, ROWS / 50_000), pause=PAUSE_S)
    took = []
    with busy_writers() as figures:
        for step in (down, up):
            begun = time.monotonic()
            step()
            took.append(f"{step.__name__} {time.monotonic() - begun:.1f} s")
    with capsys.disabled():
        print(f"\n{rows:,} calls; {', '.join(took)}\n  in peace  {quiet}\n  migrating {figures}")
    assert figures.failures == []
    assert figures.lock_wait_ms < BOUND_MS
    assert existing_indexes() == before


def test_no_write_waits_while_a_migration_waits_for_transactions_in_the_way(rows):
    for step in ("0001", "0002"):
        with transactions_in_the_way(READER, WRITER, seconds=IN_THE_WAY_S), busy_writers() as figures:
            call_command("migrate_safely", "calls", step)
        assert figures.failures == []
        assert figures.lock_wait_ms < BOUND_MS


def test_the_plain_way_keeps_writers_waiting_behind_a_reader(rows):
    """The measure measures: without a timeout, ALTER TABLE queues up behind the reader, and all others behind it."""
    with another_session() as alter, ThreadPoolExecutor(1) as pool, busy_writers() as figures:
        with transactions_in_the_way(READER, seconds=IN_THE_WAY_S):
            altering = pool.submit(alter.execute, "ALTER TABLE calls ADD COLUMN planted integer")
        altering.result(timeout=30)
    assert "lock timeout" in figures.failures[0]
    assert figures.lock_wait_ms > BOUND_MS / 2


def test_the_safe_way_lets_go_and_tries_again(rows, planted, capsys):
    planted('migrations.AddField("call", "planted", models.IntegerField(null=True))')
    with transactions_in_the_way(READER, seconds=IN_THE_WAY_S), busy_writers() as figures:
        call_command("migrate_safely", "calls")
    assert "calls.0003_planted: no lock within 80 ms; in use by session" in capsys.readouterr().out
    assert "planted" in columns_of_calls()
    assert figures.failures == []
    assert figures.lock_wait_ms < BOUND_MS

"""Tests that writers are not blocked by a migration, with PostgreSQL's locks as the judge.

    MIGRATE_ROWS=1000000 python -m pytest --database=postgres -s tests/ops/safe_migrations/test_writers_wait.py

fills the table with so many rows, lets no write wait 100 ms for a lock, and prints the latencies.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection

from tests.conftest import postgres_only
from tests.db.catalogue import PRODUCT_APPS, existing_indexes
from tests.db.scratch import another_session
from tests.ops.safe_migrations import busy
from tests.ops.safe_migrations.blockers import blocking_transactions
from tests.ops.safe_migrations.writers import LOCK_TIMEOUT_MS, MEASURED, writers

pytestmark = [postgres_only, pytest.mark.slow]

ROWS = int(os.environ.get("MIGRATE_ROWS", "5000"))
READER = "SELECT 1 FROM calls LIMIT 1"
WRITER = "UPDATE calls SET duration_s = duration_s WHERE id = (SELECT max(id) FROM calls)"


@pytest.fixture
def rows(transactional_db):
    yield busy.fill(ROWS)
    call_command("migrate", verbosity=0)


def columns_of_calls():
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, "calls")}


def measure_in_peace(seconds):
    """Return the writes of so many seconds without a migration."""
    with writers(busy.statements()) as writes:
        time.sleep(seconds)
    return writes


def test_no_write_is_blocked_while_every_index_is_dropped_and_built(rows, capsys):
    before = existing_indexes()
    with writers(busy.statements()) as writes:
        begun = time.monotonic()
        for app in reversed(PRODUCT_APPS):
            call_command("migrate_safely", app, "0001")
        call_command("migrate_safely")
        seconds = time.monotonic() - begun
    assert writes.failures == []
    assert writes.blocked == set()
    assert existing_indexes() == before
    if MEASURED:
        quiet = measure_in_peace(ROWS / 50_000)
        with capsys.disabled():
            print(f"\n{rows:,} calls, down and up in {seconds:.0f} s\n  in peace  {quiet}\n  migrating {writes}")


def test_writes_go_on_while_a_concurrent_build_waits_for_transactions(rows):
    for target in ("0001", "0002"):
        with (
            writers(busy.statements()) as writes,
            blocking_transactions(READER, WRITER, until=writes.have_gone_on()),
        ):
            call_command("migrate_safely", "calls", target)
        assert writes.failures == []
        assert writes.blocked == set()


def test_plain_alter_table_blocks_writers_behind_a_reader(rows):
    """Without a lock timeout the statement queues behind the reader, and all writers behind the statement."""
    with (
        another_session() as alter,
        ThreadPoolExecutor(1) as pool,
        writers(busy.statements(), lock_timeout_ms=min(LOCK_TIMEOUT_MS, 500)) as writes,
    ):
        with blocking_transactions(READER, until=lambda: writes.failed.value):
            altering = pool.submit(alter.execute, "ALTER TABLE calls ADD COLUMN planted integer")
        altering.result(timeout=300)
        alter.connection.rollback()
    assert "lock timeout" in writes.failures[0]


def test_writes_go_on_while_migrate_safely_retries_behind_a_reader(rows, planted, capsys):
    planted('migrations.AddField("call", "planted", models.IntegerField(null=True))')
    with writers(busy.statements()) as writes, blocking_transactions(READER, until=writes.have_gone_on()):
        call_command("migrate_safely", "calls")
    assert "calls.1003_planted: no lock within 80 ms; in use by session" in capsys.readouterr().out
    assert "planted" in columns_of_calls()
    assert writes.failures == []

"""Tests of a run: output, retries behind blocking transactions, and a killed run."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.conftest import postgres_only
from tests.db.catalogue import existing_indexes
from tests.db.scratch import another_session, wait_until
from tests.ops.safe_migrations.blockers import blocking_transactions
from tests.ops.safe_migrations.forks import forked_command

ADD_FIELD = 'migrations.AddField("call", "planted", models.IntegerField(null=True))'
INDEX = "ix_calls_company_id"


def is_valid(index):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index])
        return [valid for (valid,) in cursor.fetchall()]


def output_until(capsys, text):
    """Return two functions: one returns all output so far, the other whether it holds this text."""
    printed = []

    def output():
        printed.extend(capsys.readouterr())
        return "".join(printed)

    return output, lambda: text in output()


def sessions_that_ran(pattern):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"
            " AND datname = current_database()",
            [pattern],
        )
        return cursor.fetchone()[0]


@pytest.fixture
def without_indexes(transactional_db):
    """A database without the indexes of the app calls."""
    call_command("migrate", "calls", "0001", verbosity=0)
    yield
    call_command("migrate", "calls", verbosity=0)


@pytest.mark.parametrize("target", [("calls", "0001"), ("crm", "0001_initial"), ()])
def test_plan_is_printed_and_changes_nothing(transactional_db, capsys, target):
    before = existing_indexes()
    call_command("migrate_safely", *target, plan=True)
    printed = capsys.readouterr().out
    assert existing_indexes() == before
    assert ("Undo: Create index" in printed) == bool(target)
    assert ("There is nothing to migrate." in printed) != bool(target)


@pytest.mark.slow
def test_backwards_and_forwards_restores_every_index(transactional_db):
    before = existing_indexes()
    call_command("migrate_safely", "calls", "0001")
    assert INDEX not in existing_indexes()
    call_command("migrate_safely", "calls")
    assert existing_indexes() == before


@postgres_only
def test_plan_shows_locks_and_waiting_sessions(without_indexes, planted, capsys):
    planted(ADD_FIELD)
    call_command("migrate_safely", "calls", plan=True)
    printed = capsys.readouterr().out
    assert re.search(
        r"calls \(0 rows, .*\): SHARE UPDATE EXCLUSIVE while it builds an index; no reader or writer waits", printed
    )
    assert re.search(r"calls \(0 rows, .*\): ACCESS EXCLUSIVE for a moment; readers and writers wait", printed)
    assert "of work, from the tables' sizes" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "'nowhere' isn't an app with migrations. Choose one of admin, analytics"),
        (["calls", "0009"], "'0009' must match one migration of calls. Choose one of 0001_initial, 0002"),
        (["calls", "000"], "'000' must match one migration of calls"),
        (["--lock-timeout-ms", "0"], "'0' must be a positive number of milliseconds."),
        (["--patience", "ten"], "'ten' must be a duration such as 90s, 10m or 1h."),
    ],
)
def test_invalid_argument_is_rejected(db, arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("migrate_safely", *arguments)


@postgres_only
def test_migration_without_its_lock_names_the_holder_and_retries(transactional_db, planted, capsys):
    planted(ADD_FIELD)
    out, seen = output_until(capsys, "Try 2 in")
    with blocking_transactions("SELECT 1 FROM calls", until=seen):
        call_command("migrate_safely", "calls")
    printed = out()
    assert re.search(r"no lock within 80 ms; in use by session \d+ \(long report\), its transaction open", printed)
    assert "calls.1003_planted: done in" in printed
    assert ("calls", "1003_planted") in MigrationRecorder(connection).applied_migrations()


@postgres_only
def test_migration_is_rolled_back_and_settings_restored_when_patience_ends(transactional_db, planted):
    planted(f"{ADD_FIELD}, {ADD_FIELD.replace('call', 'appointment').replace('planted', 'planted_too')}")
    with another_session() as reader:
        reader.execute("SELECT 1 FROM appointments")
        with pytest.raises(
            CommandError, match=r"calls.1003_planted could not acquire the lock within --patience \(\d+ tries\)"
        ):
            call_command("migrate_safely", "calls", patience=1)
    assert ("calls", "1003_planted") not in MigrationRecorder(connection).applied_migrations()
    with connection.cursor() as cursor:
        assert "planted" not in {c.name for c in connection.introspection.get_table_description(cursor, "calls")}
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@postgres_only
def test_waiting_build_names_the_blocking_session(without_indexes, capsys):
    out, seen = output_until(capsys, "long report")
    with blocking_transactions("LOCK TABLE calls IN ROW EXCLUSIVE MODE", until=seen):
        call_command("migrate_safely", "calls")
    shown = out()
    assert re.search(r"waiting for writers before build for session \d+ \(long report\), its transaction open", shown)
    assert "idle in transaction" in shown


@postgres_only
def test_killed_build_is_finished_by_the_next_run(without_indexes):
    with another_session() as old:
        old.execute("LOCK TABLE calls IN ROW EXCLUSIVE MODE")
        with forked_command("migrate_safely", "calls"):
            wait_until(lambda: sessions_that_ran("CREATE INDEX CONCURRENTLY%") == 1)
        assert not any(is_valid("ix_calls_company_id_created_at"))
        with forked_command("migrate_safely", "calls") as again:
            wait_until(lambda: sessions_that_ran("SELECT pg_try_advisory_lock%") > 0)
            old.connection.rollback()
            again.join(timeout=300)
            assert again.exitcode == 0
    assert is_valid("ix_calls_company_id_created_at") == [True]
    assert is_valid(INDEX) == [True]

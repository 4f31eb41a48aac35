"""Tests of a run: output, retries behind blocking transactions, and a killed run."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Timer

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.conftest import postgres_only
from tests.db.catalogue import existing_indexes
from tests.db.scratch import another_session, wait_until
from tests.ops.safe_migrations.blockers import transactions_in_the_way

ADD_FIELD = 'migrations.AddField("call", "planted", models.IntegerField(null=True))'
INDEX = "ix_calls_company_id"


def is_valid(index):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index])
        return [valid for (valid,) in cursor.fetchall()]


def building_sessions():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'")
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
    assert re.search(r"calls \(0 rows, .*\): SHARE UPDATE EXCLUSIVE while it builds an index; nobody waits", printed)
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
    with transactions_in_the_way("SELECT 1 FROM calls"):
        call_command("migrate_safely", "calls")
    printed = capsys.readouterr().out
    assert re.search(r"no lock within 80 ms; in use by session \d+ \(long report\), its transaction open", printed)
    assert "Try 2 in" in printed
    assert "calls.0003_planted: done in" in printed
    assert ("calls", "0003_planted") in MigrationRecorder(connection).applied_migrations()


@postgres_only
def test_migration_is_rolled_back_and_settings_restored_when_patience_ends(transactional_db, planted):
    planted(f"{ADD_FIELD}, {ADD_FIELD.replace('call', 'appointment').replace('planted', 'planted_too')}")
    with another_session() as reader:
        reader.execute("SELECT 1 FROM appointments")
        with pytest.raises(
            CommandError, match=r"calls.0003_planted could not acquire the lock within --patience \(\d+ tries\)"
        ):
            call_command("migrate_safely", "calls", patience=1)
    assert ("calls", "0003_planted") not in MigrationRecorder(connection).applied_migrations()
    with connection.cursor() as cursor:
        assert "planted" not in {c.name for c in connection.introspection.get_table_description(cursor, "calls")}
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@postgres_only
def test_waiting_build_names_the_blocking_session(without_indexes, capsys):
    with transactions_in_the_way("LOCK TABLE calls IN ROW EXCLUSIVE MODE"):
        call_command("migrate_safely", "calls")
    shown = capsys.readouterr().err
    assert re.search(r"waiting for writers before build for session \d+ \(long report\), its transaction open", shown)
    assert "idle in transaction" in shown


def start_migrating():
    code = "from django.core.management import execute_from_command_line as run; run(['', 'migrate_safely', 'calls'])"
    database = connection.settings_dict
    url = f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@postgres_only
@pytest.mark.skipif(
    "not connection.settings_dict['HOST'].startswith('/')", reason="starts a process on the server of the tests"
)
def test_killed_build_is_finished_by_the_next_run(without_indexes):
    with another_session() as old, ThreadPoolExecutor(1) as pool:
        old.execute("LOCK TABLE calls IN ROW EXCLUSIVE MODE")
        killed = start_migrating()
        wait_until(lambda: building_sessions() == 1, seconds=60)
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=10)
        assert not any(is_valid("ix_calls_company_id_created_at"))
        again = start_migrating()
        printing = pool.submit(again.communicate, timeout=120)
        Timer(1.0, old.connection.rollback).start()
        assert "done in" in printing.result(timeout=120)[0]
    assert again.returncode == 0
    assert is_valid("ix_calls_company_id_created_at") == [True]
    assert is_valid(INDEX) == [True]

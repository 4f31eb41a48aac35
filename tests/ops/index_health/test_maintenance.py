"""`manage.py maintain_indexes`: its tasks, its limits, and a run that is killed."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from multiprocessing import get_context
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from ops.index_health.maintenance import MaintenanceWindow
from tests.conftest import postgres_only
from tests.db.scratch import another_session, wait_until
from tests.ops.index_health.databases import run
from tests.ops.index_health.vacuum_faults import (
    COUNTERS,
    DELETE_NINE_IN_TEN,
    FLUSH,
    NO_AUTOVACUUM,
    install_pgstattuple,
)

BLOATED = "minute_counters_pkey"
SLEEP = "import psycopg2, sys; psycopg2.connect(sys.argv[1]).cursor().execute('SELECT pg_sleep(60)')"
REBUILDING = "SELECT pid FROM pg_stat_activity WHERE query ^@ 'REINDEX' AND state = 'active'"


@pytest.fixture
def bloated(shared):
    """A table of whose rows nine in ten were deleted and vacuumed, so that its primary key is bloated."""
    install_pgstattuple()
    run("TRUNCATE minute_counters", NO_AUTOVACUUM, COUNTERS, *DELETE_NINE_IN_TEN)
    yield
    run("DROP TABLE IF EXISTS calls_before_2020", "DROP INDEX IF EXISTS narrower")


def ask(question, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchall()


def indexes():
    """Return the table's indexes by name, with their validity and size in bytes."""
    return {
        name: (valid, size)
        for name, valid, size in ask(
            """
            SELECT c.relname, i.indisvalid, pg_relation_size(c.oid)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'minute_counters'::regclass
            """
        )
    }


def maintain(capsys, *arguments):
    call_command("maintain_indexes", *arguments)
    return capsys.readouterr().out


@contextmanager
def killed_process():
    """Run `maintain_indexes --apply` in a forked process, and kill it at the end."""
    connection.close()  # the child must not share the session
    process = get_context("fork").Process(target=call_command, args=("maintain_indexes", "--apply"))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL


@postgres_only
def test_run_without_apply_lists_tasks_and_changes_nothing(bloated, capsys):
    before = indexes()
    output = maintain(capsys)
    assert f"REINDEX INDEX CONCURRENTLY {BLOATED}" in output
    assert "Nothing was changed" in output
    assert indexes() == before


@postgres_only
def test_apply_rebuilds_bloated_indexes_and_analyzes_stale_tables(bloated, capsys):
    run("CREATE TABLE calls_before_2020 (id bigint) WITH (autovacuum_enabled = off)")
    run("INSERT INTO calls_before_2020 SELECT generate_series(1, 2000)", FLUSH)
    size = indexes()[BLOATED][1]
    maintain(capsys, "--apply")
    assert indexes().keys() == {BLOATED}
    assert indexes()[BLOATED][1] < size / 5
    assert ask("SELECT reltuples FROM pg_class WHERE relname = 'calls_before_2020'") == [(2000,)]
    assert "Nothing to do." in maintain(capsys)


@postgres_only
def test_largest_saving_comes_first(bloated, settings, capsys):
    settings.INDEX_BLOAT_MIN_BYTES = 100_000
    run(
        "CREATE INDEX narrower ON minute_counters (minute)",
        COUNTERS.replace("|| n", "|| 'x' || n"),
        *DELETE_NINE_IN_TEN,
    )
    output = maintain(capsys)
    assert output.index(f"CONCURRENTLY {BLOATED}") < output.index("CONCURRENTLY narrower")


@postgres_only
@pytest.mark.parametrize("server_goes_on", [True, False], ids=["the server finishes", "the server stops too"])
def test_killed_run_is_continued_by_the_next_run(bloated, capsys, server_goes_on):
    with another_session() as old:
        old.execute("LOCK TABLE minute_counters IN ROW EXCLUSIVE MODE")  # the rebuild has to wait for its end
        with killed_process():
            wait_until(lambda: f"{BLOATED}_ccnew" in indexes() and ask(REBUILDING))
        if not server_goes_on:
            ask(f"SELECT pg_terminate_backend(pid) FROM ({REBUILDING}) AS rebuilding")
            wait_until(lambda: not ask(REBUILDING))
            assert indexes()[f"{BLOATED}_ccnew"][0] is False
    output = maintain(capsys, "--apply")
    wait_until(lambda: not ask(REBUILDING))
    assert ("DROP INDEX CONCURRENTLY" in output) is not server_goes_on
    assert indexes().keys() == {BLOATED}
    valid, size = indexes()[BLOATED]
    assert valid
    assert size < 1_000_000


@postgres_only
def test_closed_window_starts_no_task(bloated, capsys):
    before, later = indexes(), now() + timedelta(hours=2)
    window = f"{later:%H:%M}-{later + timedelta(hours=1):%H:%M}"
    assert "1 of 1 tasks are left" in maintain(capsys, "--apply", "--between", window)
    assert indexes() == before


@postgres_only
def test_busy_database_stops_the_run_after_the_patience(bloated):
    before = indexes()
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEP, connection.connection.dsn])
    try:
        wait_until(lambda: ask("SELECT 1 FROM pg_stat_activity WHERE query ^@ 'SELECT pg_sleep'"))
        with pytest.raises(
            CommandError, match="Stopped after 0 of 1 tasks: 1 sessions were active for 1 s; --max-active allows 0"
        ):
            call_command("maintain_indexes", "--apply", "--max-active", "0", "--patience", "1")
    finally:
        sleeper.kill()
        sleeper.wait()
    assert indexes() == before


@pytest.mark.parametrize(
    ("start", "end", "hour", "is_open"),
    [(22, 5, 23, True), (22, 5, 4, True), (22, 5, 5, False), (22, 5, 12, False), (9, 17, 9, True), (9, 17, 17, False)],
)
def test_window_may_span_midnight(start, end, hour, is_open):
    window = MaintenanceWindow(time(start), time(end), ZoneInfo("America/Denver"))
    moment = datetime(2026, 1, 15, hour, 0, tzinfo=window.zone)
    assert window.is_open(moment.astimezone(UTC)) is is_open


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--between", "22"], "must be like 22:00-05:00"),
        (["--between", "22:00-22:00"], "must start and end at different times"),
        (["--timezone", "Mars"], "must be a time zone"),
        (["--max-active", "few"], "whole number"),
    ],
)
def test_invalid_argument_is_rejected(arguments, message):
    with pytest.raises(CommandError, match=f"{arguments[0]}.*{message}"):
        call_command("maintain_indexes", *arguments)


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="message for SQLite only")
def test_command_is_for_postgresql_only(db):
    with pytest.raises(CommandError, match="is for PostgreSQL"):
        call_command("maintain_indexes")

"""`manage.py maintain_indexes`: nothing without --apply, nothing out of bounds, and no harm in being killed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from ops.index_health.maintenance import MaintenanceWindow
from tests.conftest import postgres_only
from tests.db.scratch import another_session, wait_until
from tests.ops.index_health.copies import run
from tests.ops.index_health.vacuum_faults import BY_HAND, COUNTERS, ONE_IN_TEN_LEFT, TOLD

SWOLLEN = "minute_counters_pkey"
SLEEP = "import psycopg2, sys; psycopg2.connect(sys.argv[1]).cursor().execute('SELECT pg_sleep(60)')"
REBUILDING = "SELECT pid FROM pg_stat_activity WHERE query ^@ 'REINDEX' AND state = 'active'"


@pytest.fixture
def swollen(planted):
    """The primary key of a table that lost nine of ten rows, which VACUUM has taken out of it."""
    run(BY_HAND, COUNTERS, *ONE_IN_TEN_LEFT)


def ask(question, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchall()


def indexes():
    """Of the table: name, whether it is valid, and its bytes."""
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


def worker():
    """`maintain_indexes --apply` in a process of its own, on the same database."""
    address = connection.settings_dict
    return subprocess.Popen(
        [sys.executable, "manage.py", "maintain_indexes", "--apply"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": f"postgres://{address['USER']}@/{address['HOST']}/{address['NAME']}"},
        stdout=subprocess.DEVNULL,
    )


@postgres_only
def test_without_apply_it_says_what_it_would_do_and_does_nothing(swollen, capsys):
    before = indexes()
    told = maintain(capsys)
    assert f"REINDEX INDEX CONCURRENTLY {SWOLLEN}" in told
    assert "Nothing was changed" in told
    assert indexes() == before


@postgres_only
def test_it_builds_what_is_bloated_anew_and_analyzes_what_is_stale(swollen, capsys):
    run("CREATE TABLE calls_before_2020 (id bigint) WITH (autovacuum_enabled = off)")
    run("INSERT INTO calls_before_2020 SELECT generate_series(1, 2000)", TOLD)
    size = indexes()[SWOLLEN][1]
    maintain(capsys, "--apply")
    assert indexes().keys() == {SWOLLEN}
    assert indexes()[SWOLLEN][1] < size / 5
    assert ask("SELECT reltuples FROM pg_class WHERE relname = 'calls_before_2020'") == [(2000,)]
    assert "Nothing to do." in maintain(capsys)


@postgres_only
def test_the_biggest_saving_comes_first(swollen, settings, capsys):
    settings.INDEX_BLOAT_MIN_BYTES = 100_000
    run("CREATE INDEX narrower ON minute_counters (minute)", COUNTERS.replace("|| n", "|| 'x' || n"), *ONE_IN_TEN_LEFT)
    told = maintain(capsys)
    assert told.index(f"CONCURRENTLY {SWOLLEN}") < told.index("CONCURRENTLY narrower")


@postgres_only
@pytest.mark.parametrize("server_goes_on", [True, False], ids=["the server finishes", "the server stops as well"])
def test_killed_in_the_middle_it_is_carried_on_by_the_next_run(swollen, capsys, server_goes_on):
    with another_session() as old:
        old.execute("LOCK TABLE minute_counters IN ROW EXCLUSIVE MODE")  # the rebuild has to wait for its end
        with worker() as process:
            try:
                wait_until(lambda: f"{SWOLLEN}_ccnew" in indexes() and ask(REBUILDING), seconds=120)
            finally:
                process.kill()
        assert process.returncode == -signal.SIGKILL
        if not server_goes_on:
            ask(f"SELECT pg_terminate_backend(pid) FROM ({REBUILDING}) AS rebuilding")
            wait_until(lambda: not ask(REBUILDING))
            assert indexes()[f"{SWOLLEN}_ccnew"][0] is False
    told = maintain(capsys, "--apply")
    wait_until(lambda: not ask(REBUILDING))
    assert ("DROP INDEX CONCURRENTLY" in told) is not server_goes_on
    assert indexes().keys() == {SWOLLEN}
    valid, size = indexes()[SWOLLEN]
    assert valid
    assert size < 1_000_000


@postgres_only
def test_outside_its_window_it_begins_nothing_and_says_so(swollen, capsys):
    before, later = indexes(), now() + timedelta(hours=2)
    window = f"{later:%H:%M}-{later + timedelta(hours=1):%H:%M}"
    assert "1 of 1 things are left" in maintain(capsys, "--apply", "--between", window)
    assert indexes() == before


@postgres_only
def test_on_a_busy_database_it_waits_and_gives_up(swollen):
    before = indexes()
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEP, connection.connection.dsn])
    try:
        wait_until(lambda: ask("SELECT 1 FROM pg_stat_activity WHERE query ^@ 'SELECT pg_sleep'"), seconds=30)
        with pytest.raises(CommandError, match="Gave up after 0 of 1: 1 sessions were active, and 0 may be"):
            call_command("maintain_indexes", "--apply", "--max-active", "0", "--patience", "1")
    finally:
        sleeper.kill()
        sleeper.wait()
    assert indexes() == before


@pytest.mark.parametrize(
    ("start", "end", "hour", "is_open"),
    [(22, 5, 23, True), (22, 5, 4, True), (22, 5, 5, False), (22, 5, 12, False), (9, 17, 9, True), (9, 17, 17, False)],
)
def test_a_window_may_go_over_midnight(start, end, hour, is_open):
    window = MaintenanceWindow(time(start), time(end), ZoneInfo("America/Denver"))
    moment = datetime(2026, 1, 15, hour, 0, tzinfo=window.zone)
    assert window.is_open(moment.astimezone(UTC)) is is_open


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--between", "22"], "must be like 22:00-05:00"),
        (["--between", "22:00-22:00"], "leaves no time at all"),
        (["--timezone", "Mars"], "no time zone"),
        (["--max-active", "few"], "whole number"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(arguments, message):
    with pytest.raises(CommandError, match=f"{arguments[0]}.*{message}"):
        call_command("maintain_indexes", *arguments)


def test_on_sqlite_it_says_that_there_is_nothing_to_maintain(db):
    if connection.vendor == "postgresql":
        pytest.skip("what it says of another database")
    with pytest.raises(CommandError, match="is for PostgreSQL"):
        call_command("maintain_indexes")

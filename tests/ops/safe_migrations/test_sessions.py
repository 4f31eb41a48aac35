"""Tests of migrations in several processes at once, and of the session that they use."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from ops.safe_migrations.sessions import MIGRATION_LOCK_ID, direct_connection, migration_lock
from tests.conftest import postgres_only
from tests.db.scratch import another_session, wait_until
from tests.ops.safe_migrations.forks import forked_command
from tests.ops.safe_migrations.renumbering_pooler import renumbering_pooler
from tests.pgbouncer import PROGRAM, pgbouncer

pytestmark = [postgres_only, pytest.mark.django_db(transaction=True)]

ADD_FIELD = 'migrations.AddField("call", "planted", models.IntegerField(null=True))'
COMMANDS = ["migrate", "migrate_safely"]
SESSION_COMMANDS = [["migrate"], ["migrate_safely"], ["migrate_safely", "--plan"], ["maintain_indexes"]]


def sessions(condition, parameters=()):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            f" AND {condition}",
            parameters,
        )
        return cursor.fetchone()[0]


@pytest.mark.parametrize("second", COMMANDS)
@pytest.mark.parametrize("first", COMMANDS)
def test_second_migration_waits_for_the_first_and_finds_nothing_to_do(transactional_db, planted, first, second):
    planted(ADD_FIELD)
    with another_session() as reader:
        reader.execute("SELECT 1 FROM calls")
        with forked_command(first, "calls") as earlier:
            wait_until(lambda: sessions("query LIKE 'ALTER TABLE %%planted%%'"))
            with forked_command(second, "calls") as later:
                wait_until(lambda: sessions("query = %s", [f"SELECT pg_try_advisory_lock({MIGRATION_LOCK_ID})"]))
                reader.connection.rollback()
                for process in (earlier, later):
                    process.join(timeout=300)
                    assert process.exitcode == 0
    assert ("calls", "1003_planted") in MigrationRecorder(connection).applied_migrations()


def test_waiting_migration_names_the_session_that_it_waits_for():
    said = []
    with another_session() as other:
        other.execute("SET application_name = 'first container'")
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK_ID])

        def say(text):
            said.append(text)
            other.connection.close()

        with migration_lock("default", say):
            pass
    [text] = said
    assert text.startswith("Another migration is running in session ")
    assert "(first container)" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_lock_is_free_after_a_migration(command, capsys):
    call_command(command)
    with another_session() as other:
        other.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATION_LOCK_ID])
        assert other.fetchone() == (True,)


@pytest.mark.parametrize("arguments", [["migrate", "--plan"], ["migrate_safely", "--plan"]])
def test_plan_does_not_wait_for_a_running_migration(arguments, capsys):
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK_ID])
        call_command(*arguments)
    assert capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    "through",
    [
        "the server",
        pytest.param("a pooler", marks=pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")),
    ],
)
def test_two_containers_migrate_an_empty_database_once(through):
    parameters = connection.settings_dict
    name = f"{parameters['NAME']}_empty"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        with ExitStack() as stack:
            host, role = parameters["HOST"], parameters["USER"]
            urls = {"DATABASE_URL": f"postgres://{role}@/{host}/{name}"}
            if through == "a pooler":
                pooler = stack.enter_context(pgbouncer(server=host, role=role, pool_size=1))
                urls = {
                    "DATABASE_URL": f"postgres://{role}@/{pooler}/{name}",
                    "DIRECT_DATABASE_URL": urls["DATABASE_URL"],
                }
            containers = [
                subprocess.Popen(
                    [sys.executable, "manage.py", command, "--no-color"],
                    env=os.environ | urls,
                    cwd=Path(__file__).resolve().parents[3],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                for command in COMMANDS
            ]
            outputs = [container.communicate(timeout=600)[0] for container in containers]
        assert [container.returncode for container in containers] == [0, 0], outputs
        idle = [any(text in output for text in ("No migrations to apply.", "nothing to migrate")) for output in outputs]
        assert sorted(idle) == [False, True]
        assert ["crm.0001_initial" in output for output in outputs] == [not one for one in idle]
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_direct_url_is_used_in_every_thread_and_given_back(settings):
    before = dict(connection.settings_dict)
    settings.DIRECT_DATABASE = {**before, "OPTIONS": {"application_name": "direct"}}
    with direct_connection(), connection.cursor() as cursor:
        cursor.execute("SHOW application_name")
        assert cursor.fetchone() == ("direct",)
        assert connections.settings["default"] is connection.settings_dict
    assert connection.settings_dict == before
    with connection.cursor() as cursor:
        cursor.execute("SHOW application_name")
        assert cursor.fetchone() != ("direct",)


@pytest.fixture
def pooled(settings):
    """The connection through a pooler that has process numbers of its own."""
    server = connection.settings_dict["HOST"]
    with renumbering_pooler(server) as folder:
        connection.close()
        connection.settings_dict["HOST"] = folder
        yield {**connection.settings_dict, "HOST": server}
        connection.close()
        connection.settings_dict["HOST"] = server


@pytest.mark.parametrize("command", SESSION_COMMANDS, ids=" ".join)
def test_command_that_needs_a_session_refuses_a_pooler_and_uses_the_direct_url(pooled, settings, command, capsys):
    with pytest.raises(CommandError, match="Set DIRECT_DATABASE_URL to the server's own address"):
        call_command(*command)
    settings.DIRECT_DATABASE = pooled
    call_command(*command)


def test_pooled_url_is_accepted_as_the_direct_one(pooled, settings, capsys):
    """Its pooler may keep sessions."""
    settings.DIRECT_DATABASE = dict(connection.settings_dict)
    call_command("migrate", "--plan")

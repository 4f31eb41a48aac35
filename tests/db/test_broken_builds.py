"""Concurrent index builds on a busy PostgreSQL, with real faults from real sessions."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, IntegrityError, connection

from crm.db.broken_indexes import drop_broken_index
from crm.db.index_operations import INDEX_BUILD_LOCK_ID, AddIndexConcurrently, RemoveIndexConcurrently
from crm.db.indexes import Index
from tests.conftest import postgres_only
from tests.db.administrator import administrator_runs
from tests.db.scratch import (
    TABLE,
    another_session,
    in_own_session,
    in_the_way_of,
    indexes_of,
    read_from_session,
    reverse,
    run,
    set_in_session,
    wait_until,
)

pytestmark = postgres_only

NAME = "scratch_rows_number"
add_number = AddIndexConcurrently("row", Index(fields=["number"], name=NAME))


def is_valid():
    return indexes_of()[NAME][1]


def polls_for_the_build_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query ^@ 'SELECT pg_try_advisory_lock'"
        )
        return cursor.fetchone()[0] > 0


def leave_unique_build_broken():
    """Fail to build a unique index on duplicate rows; PostgreSQL leaves it INVALID."""
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON {TABLE} (number)")


def leave_build_that_timed_out():
    """Fail to build an index, since an old transaction outlasts the session's lock_timeout."""
    set_in_session(lock_timeout="100ms")
    with another_session() as old, connection.cursor() as cursor:
        old.execute(f"INSERT INTO {TABLE} (number) VALUES (9)")
        with pytest.raises(DatabaseError, match="lock timeout"):
            cursor.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {TABLE} (number)")
    set_in_session(lock_timeout="0")


@pytest.mark.parametrize("leave_broken", [leave_unique_build_broken, leave_build_that_timed_out])
def test_second_run_rebuilds_an_invalid_index(scratch, leave_broken):
    leave_broken()
    assert not is_valid()
    broken_oid = indexes_of()[NAME][0]
    run(add_number, scratch)
    oid, valid, definition = indexes_of()[NAME]
    assert valid
    assert oid != broken_oid
    assert definition.startswith("CREATE INDEX")


def test_reversal_drops_an_invalid_index(scratch):
    leave_unique_build_broken()
    reverse(add_number, scratch)
    assert indexes_of() == {}


def test_removal_drops_an_invalid_index(scratch):
    built = run(add_number, scratch)
    reverse(add_number, scratch)
    leave_unique_build_broken()
    run(RemoveIndexConcurrently("row", NAME), built)
    assert indexes_of() == {}


def test_failed_build_restores_timeouts_and_releases_the_lock(scratch):
    set_in_session(lock_timeout="300ms", statement_timeout="1234ms")
    wrong_class = Index(fields=["number"], name=NAME, opclasses=["text_pattern_ops"])
    try:
        with pytest.raises(DatabaseError, match="operator class"):
            run(AddIndexConcurrently("row", wrong_class), scratch)
        assert read_from_session("lock_timeout") == "300ms"
        assert read_from_session("statement_timeout") == "1234ms"
    finally:
        set_in_session(lock_timeout="0", statement_timeout="0")
    with another_session() as other:
        other.execute("SELECT pg_try_advisory_lock(%s)", [INDEX_BUILD_LOCK_ID])
        assert other.fetchone() == (True,)


@pytest.mark.parametrize("timeout", ["lock_timeout", "statement_timeout", "transaction_timeout"])
def test_build_waits_for_an_old_transaction_despite_timeouts(scratch, timeout):
    if connection.pg_version < 170000 and timeout == "transaction_timeout":
        pytest.skip("This PostgreSQL has no transaction_timeout.")

    def build():
        set_in_session(**{timeout: "150ms"})
        run(add_number, scratch)
        return read_from_session(timeout)

    with in_the_way_of(build) as (old, building):
        wait_until(lambda: NAME in indexes_of())
        with pytest.raises(TimeoutError):
            building.result(timeout=0.5)
        old.connection.commit()
        assert building.result(timeout=300) == "150ms"
    assert is_valid()


def test_writers_do_not_wait_for_a_waiting_build(scratch):
    with in_the_way_of(lambda: run(add_number, scratch)) as (old, building), another_session() as writer:
        wait_until(lambda: NAME in indexes_of())
        assert not is_valid()
        writer.execute("SET lock_timeout = '10s'")
        writer.execute(f"INSERT INTO {TABLE} (number) VALUES (10)")
        writer.execute(f"UPDATE {TABLE} SET number = 11 WHERE number = 10")
        writer.connection.commit()
        assert not building.done()
        old.connection.commit()
        building.result(timeout=300)
    assert is_valid()


def test_two_simultaneous_migrations_build_one_index(scratch):
    def build():
        run(add_number, scratch)

    with in_the_way_of(build, build) as (old, first, second):
        wait_until(lambda: NAME in indexes_of())
        begun = indexes_of()[NAME][0]
        wait_until(polls_for_the_build_lock)  # the second session, which sees an index that is not valid yet
        old.connection.commit()
        first.result(timeout=300)
        second.result(timeout=300)
    assert is_valid()
    assert indexes_of()[NAME][0] == begun


def test_broken_index_is_dropped_by_the_drop_alone(scratch):
    leave_unique_build_broken()
    assert drop_broken_index(connection, TABLE, NAME)
    assert indexes_of() == {}
    assert not drop_broken_index(connection, TABLE, NAME)


@pytest.mark.parametrize("statements", [["REINDEX INDEX {0}"], ["DROP INDEX {0}", "CREATE INDEX {0} ON {1} (number)"]])
def test_index_that_another_session_makes_meanwhile_is_not_dropped(scratch, statements):
    leave_unique_build_broken()
    with another_session() as other, connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")  # the duplicates
        for statement in statements:
            other.execute(statement.format(NAME, TABLE))
        with ThreadPoolExecutor(max_workers=1) as pool:
            drop = pool.submit(in_own_session, lambda: drop_broken_index(connection, TABLE, NAME))
            wait_until(lambda: drop.done() or locks_waited_for(cursor))
            other.connection.commit()
            assert drop.result() is False
    assert is_valid()


def locks_waited_for(cursor):
    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [TABLE])
    return cursor.fetchone()[0]


BUILD = f"CREATE INDEX CONCURRENTLY {NAME} ON {TABLE} (number)"
REBUILD = f"REINDEX INDEX CONCURRENTLY {NAME}"


@contextmanager
def migrating_while(statement, migrate, caplog):
    """Start a migration while an administrator builds an index. Yield once it waits; at the end both have ended."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        with administrator_runs(statement, on=TABLE):
            migration = pool.submit(in_own_session, migrate)
            wait_until(lambda: caplog.records or migration.done())
            yield migration
            assert not migration.done()
        migration.result(timeout=300)


def test_build_by_an_administrator_is_waited_for_and_kept(scratch, caplog):
    with migrating_while(BUILD, lambda: run(add_number, scratch), caplog):
        [said] = caplog.messages
        assert said.startswith("Waiting for session ")
        assert f"holds a lock on table {TABLE} and may be building an index" in said
        begun, valid, _ = indexes_of()[NAME]
        assert not valid
    assert indexes_of()[NAME][:2] == [begun, True]


def test_rebuild_of_a_broken_index_by_an_administrator_is_waited_for_and_kept(scratch, caplog):
    leave_build_that_timed_out()
    with migrating_while(REBUILD, lambda: run(add_number, scratch), caplog):
        rebuilt = indexes_of()[f"{NAME}_ccnew"][0]
    assert {name: facts[:2] for name, facts in indexes_of().items()} == {NAME: [rebuilt, True]}


def test_build_of_another_index_by_an_administrator_is_waited_for(scratch, caplog):
    with migrating_while(
        f"CREATE INDEX CONCURRENTLY words ON {TABLE} (word)", lambda: run(add_number, scratch), caplog
    ):
        assert indexes_of().keys() == {"words"}
    assert {name: valid for name, (_, valid, _) in indexes_of().items()} == {NAME: True, "words": True}


def test_removal_waits_for_an_administrator_who_rebuilds_the_index(scratch, caplog):
    built = run(add_number, scratch)
    with migrating_while(REBUILD, lambda: run(RemoveIndexConcurrently("row", NAME), built), caplog):
        assert indexes_of().keys() == {NAME, f"{NAME}_ccnew"}
    assert indexes_of() == {}

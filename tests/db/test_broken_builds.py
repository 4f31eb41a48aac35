"""What happens to a concurrent build on a busy PostgreSQL: faults are real ones, from real sessions."""

import pytest
from django.db import DatabaseError, IntegrityError, connection

from crm.db.index_operations import INDEX_BUILD_LOCK_ID, AddIndexConcurrently, RemoveIndexConcurrently
from crm.db.indexes import Index
from tests.conftest import postgres_only
from tests.db.scratch import (
    TABLE,
    another_session,
    in_the_way_of,
    read_from_session,
    run,
    set_in_session,
    standing,
    undo,
    wait_until,
)

pytestmark = postgres_only

NAME = "scratch_rows_number"
add_number = AddIndexConcurrently("row", Index(fields=["number"], name=NAME))


def is_valid():
    return standing()[NAME][1]


def polls_for_the_build_lock():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query ^@ 'SELECT pg_try_advisory_lock'"
        )
        return cursor.fetchone()[0] > 0


def leave_unique_build_broken():
    """Two rows are equal, so that a unique index can't be finished; PostgreSQL leaves it behind INVALID."""
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {NAME} ON {TABLE} (number)")


def leave_build_that_timed_out():
    """An old transaction is in the way for longer than the session's lock_timeout allows."""
    set_in_session(lock_timeout="100ms")
    with another_session() as old, connection.cursor() as cursor:
        old.execute(f"INSERT INTO {TABLE} (number) VALUES (9)")
        with pytest.raises(DatabaseError, match="lock timeout"):
            cursor.execute(f"CREATE INDEX CONCURRENTLY {NAME} ON {TABLE} (number)")
    set_in_session(lock_timeout="0")


@pytest.mark.parametrize("leave_broken", [leave_unique_build_broken, leave_build_that_timed_out])
def test_running_again_repairs_a_build_that_broke_half_way(scratch, leave_broken):
    leave_broken()
    assert not is_valid()
    broken_oid = standing()[NAME][0]
    run(add_number, scratch)
    oid, valid, definition = standing()[NAME]
    assert valid
    assert oid != broken_oid
    assert definition.startswith("CREATE INDEX")


def test_a_broken_build_is_taken_away_by_going_back(scratch):
    leave_unique_build_broken()
    undo(add_number, scratch)
    assert standing() == {}


def test_a_broken_build_is_taken_away_by_a_removal(scratch):
    built = run(add_number, scratch)
    undo(add_number, scratch)
    leave_unique_build_broken()
    run(RemoveIndexConcurrently("row", NAME), built)
    assert standing() == {}


def test_after_a_build_that_fails_the_timeouts_are_back_and_others_may_build(scratch):
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
def test_it_outwaits_an_old_transaction_whatever_the_sessions_timeouts_say(scratch, timeout):
    if connection.pg_version < 170000 and timeout == "transaction_timeout":
        pytest.skip("This PostgreSQL has no transaction_timeout.")

    def build():
        set_in_session(**{timeout: "150ms"})
        run(add_number, scratch)
        return read_from_session(timeout)

    with in_the_way_of(build) as (old, building):
        wait_until(lambda: NAME in standing())
        with pytest.raises(TimeoutError):
            building.result(timeout=0.5)
        old.connection.commit()
        assert building.result(timeout=60) == "150ms"
    assert is_valid()


def test_nobody_who_writes_waits_for_a_build_that_waits(scratch):
    with in_the_way_of(lambda: run(add_number, scratch)) as (old, building), another_session() as writer:
        wait_until(lambda: NAME in standing())
        assert not is_valid()
        writer.execute("SET lock_timeout = '10s'")
        writer.execute(f"INSERT INTO {TABLE} (number) VALUES (10)")
        writer.execute(f"UPDATE {TABLE} SET number = 11 WHERE number = 10")
        writer.connection.commit()
        assert not building.done()
        old.connection.commit()
        building.result(timeout=60)
    assert is_valid()


def test_two_migrates_at_once_build_one_index_between_them(scratch):
    def build():
        run(add_number, scratch)

    with in_the_way_of(build, build) as (old, first, second):
        wait_until(lambda: NAME in standing())
        begun = standing()[NAME][0]
        wait_until(polls_for_the_build_lock)  # the second session, which sees an index that is not valid yet
        old.connection.commit()
        first.result(timeout=60)
        second.result(timeout=60)
    assert is_valid()
    assert standing()[NAME][0] == begun

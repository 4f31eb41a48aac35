"""Adding and removing indexes: the same result on both databases, and harmless when it is done twice."""

import io

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Q
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from crm.db.index_operations import AddIndexConcurrently, IndexNameTaken, RemoveIndexConcurrently
from crm.db.indexes import HashIndex, Index
from tests.conftest import postgres_only
from tests.db.scratch import declare_rows, read_from_session, run, set_in_session, standing, undo

NAME = "scratch_rows_number"
add_number = AddIndexConcurrently("row", Index(fields=["number"], name=NAME))
OTHER_DEFINITIONS = {
    "other column": Index(fields=["word"], name=NAME),
    "more columns": Index(fields=["number", "word"], name=NAME),
    "other order": Index(fields=["-number"], name=NAME),
    "partial": Index(fields=["number"], condition=Q(number__gt=7), name=NAME),
}


def test_it_builds_an_index_and_takes_it_away_again(scratch):
    run(add_number, scratch)
    assert list(standing()) == [NAME]
    undo(add_number, scratch)
    assert standing() == {}


def test_a_partial_index_keeps_its_condition(scratch):
    run(AddIndexConcurrently("row", Index(fields=["word"], condition=Q(word__isnull=False), name=NAME)), scratch)
    assert "IS NOT NULL" in str(standing()[NAME])


def test_building_twice_leaves_the_first_index_alone(scratch):
    run(add_number, scratch)
    first = standing()
    run(add_number, scratch)
    assert standing() == first  # on PostgreSQL that is the same oid


def test_building_a_partial_index_twice_leaves_the_first_one_alone(scratch):
    partial = AddIndexConcurrently(
        "row", Index(fields=["word", "-number"], condition=Q(word__in=["seven", "eight"], number__gt=7), name=NAME)
    )
    run(partial, scratch)
    first = standing()
    run(partial, scratch)
    assert standing() == first


def test_building_a_hash_index_twice_leaves_the_first_one_alone(scratch):
    hashed = AddIndexConcurrently("row", HashIndex(fields=["word"], name=NAME))
    run(hashed, scratch)
    first = standing()
    run(hashed, scratch)
    assert standing() == first


def test_taking_away_twice_is_harmless(scratch):
    run(add_number, scratch)
    undo(add_number, scratch)
    undo(add_number, scratch)
    assert standing() == {}


def test_removing_is_adding_backwards(scratch):
    built = run(add_number, scratch)
    remove = RemoveIndexConcurrently("row", NAME)
    run(remove, built)
    run(remove, built)
    assert standing() == {}
    undo(remove, built)
    undo(remove, built)
    assert list(standing()) == [NAME]


@pytest.mark.parametrize("other", OTHER_DEFINITIONS.values(), ids=OTHER_DEFINITIONS)
def test_it_refuses_a_name_that_stands_for_another_definition(scratch, other):
    run(AddIndexConcurrently("row", other), scratch)
    before = standing()
    with pytest.raises(IndexNameTaken, match=NAME) as refusal:
        run(add_number, scratch)
    assert "in the database:" in str(refusal.value)
    assert "declared:" in str(refusal.value)
    assert standing() == before


@postgres_only
def test_it_refuses_a_name_that_stands_for_another_method(scratch):
    run(AddIndexConcurrently("row", HashIndex(fields=["number"], name=NAME)), scratch)
    before = standing()
    with pytest.raises(IndexNameTaken, match=r"(?s)USING hash \(number\).*USING btree \(number\)"):
        run(add_number, scratch)
    assert standing() == before


def test_it_refuses_a_name_that_stands_for_a_unique_index(scratch):
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE UNIQUE INDEX "{NAME}" ON "scratch_rows" ("number") WHERE number > 7')
    before = standing()
    with pytest.raises(IndexNameTaken, match="UNIQUE"):
        run(AddIndexConcurrently("row", Index(fields=["number"], condition=Q(number__gt=7), name=NAME)), scratch)
    assert standing() == before


def test_it_refuses_a_name_that_stands_on_another_table_and_never_drops_that_one(scratch):
    neighbour = declare_rows("Neighbour", "scratch_neighbours")
    both = scratch.clone()
    neighbour.state_forwards("crm", both)
    with connection.schema_editor() as editor:
        neighbour.database_forwards("crm", editor, scratch, both)
    try:
        run(AddIndexConcurrently("neighbour", Index(fields=["number"], name=NAME)), both)
        with pytest.raises(IndexNameTaken, match="scratch_neighbours"):
            run(add_number, both)
        undo(add_number, both)
        assert standing() == {}
        assert list(standing("scratch_neighbours")) == [NAME]
    finally:
        with connection.schema_editor() as editor:
            neighbour.database_backwards("crm", editor, both, scratch)


@postgres_only
def test_inside_a_transaction_it_is_refused_with_the_remedy(scratch):
    with pytest.raises(TransactionManagementError, match="atomic = False"), transaction.atomic():
        run(add_number, scratch)
    assert standing() == {}


@postgres_only
@pytest.mark.parametrize("succeeds", [True, False])
def test_the_sessions_timeouts_come_back(scratch, succeeds):
    timeouts = {"lock_timeout": "300ms", "statement_timeout": "1234ms"}
    set_in_session(**timeouts)
    try:
        if succeeds:
            run(add_number, scratch)
        else:
            run(AddIndexConcurrently("row", Index(fields=["word"], name=NAME)), scratch)
            with pytest.raises(IndexNameTaken):
                run(add_number, scratch)
        assert {name: read_from_session(name) for name in timeouts} == timeouts
    finally:
        set_in_session(lock_timeout="0", statement_timeout="0")


@pytest.mark.django_db(transaction=True)
def test_sqlmigrate_prints_the_statements_and_asks_the_database_nothing_about_them():
    printed = io.StringIO()
    with CaptureQueriesContext(connection) as queries:
        call_command("sqlmigrate", "analytics", "0002", stdout=printed, no_color=True)
    wanted = "CREATE INDEX CONCURRENTLY" if connection.vendor == "postgresql" else "CREATE INDEX"
    assert f'{wanted} "ix_call_analysis_tenant_id_analyzed_at" ON "call_analysis"' in printed.getvalue()
    assert "BEGIN" not in printed.getvalue()
    assert not [query for query in queries if "ix_call_analysis" in query["sql"] or "advisory" in query["sql"]]


@pytest.mark.django_db(transaction=True)
def test_sqlmigrate_prints_the_way_back():
    printed = io.StringIO()
    call_command("sqlmigrate", "analytics", "0002", backwards=True, stdout=printed, no_color=True)
    wanted = "DROP INDEX CONCURRENTLY IF EXISTS" if connection.vendor == "postgresql" else "DROP INDEX"
    assert f'{wanted} "ix_call_analysis_tenant_id_analyzed_at"' in printed.getvalue()

"""Index operations: equal results on both databases, and repeatable."""

import io

import pytest
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.migrations import AlterField
from django.db.models import Q
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from crm.db.index_operations import AddIndexConcurrently, IndexNameTaken, RemoveIndexConcurrently
from crm.db.indexes import HashIndex, Index
from tests.conftest import postgres_only
from tests.db.scratch import declare_rows, indexes_of, read_from_session, reverse, run, set_in_session

NAME = "scratch_rows_number"
add_number = AddIndexConcurrently("row", Index(fields=["number"], name=NAME))
OTHER_DEFINITIONS = {
    "other column": Index(fields=["word"], name=NAME),
    "more columns": Index(fields=["number", "word"], name=NAME),
    "other order": Index(fields=["-number"], name=NAME),
    "partial": Index(fields=["number"], condition=Q(number__gt=7), name=NAME),
}


def test_operation_builds_an_index_and_drops_it_backwards(scratch):
    run(add_number, scratch)
    assert list(indexes_of()) == [NAME]
    reverse(add_number, scratch)
    assert indexes_of() == {}


def test_partial_index_keeps_its_condition(scratch):
    run(AddIndexConcurrently("row", Index(fields=["word"], condition=Q(word__isnull=False), name=NAME)), scratch)
    assert "IS NOT NULL" in str(indexes_of()[NAME])


def test_second_build_keeps_the_index(scratch):
    run(add_number, scratch)
    first = indexes_of()
    run(add_number, scratch)
    assert indexes_of() == first  # on PostgreSQL that is the same oid


def test_second_build_keeps_a_partial_index(scratch):
    partial = AddIndexConcurrently(
        "row", Index(fields=["word", "-number"], condition=Q(word__in=["seven", "eight"], number__gt=7), name=NAME)
    )
    run(partial, scratch)
    first = indexes_of()
    run(partial, scratch)
    assert indexes_of() == first


def test_second_build_keeps_a_hash_index(scratch):
    hashed = AddIndexConcurrently("row", HashIndex(fields=["word"], name=NAME))
    run(hashed, scratch)
    first = indexes_of()
    run(hashed, scratch)
    assert indexes_of() == first


def test_second_drop_is_harmless(scratch):
    run(add_number, scratch)
    reverse(add_number, scratch)
    reverse(add_number, scratch)
    assert indexes_of() == {}


def test_removal_backwards_builds_the_index(scratch):
    built = run(add_number, scratch)
    remove = RemoveIndexConcurrently("row", NAME)
    run(remove, built)
    run(remove, built)
    assert indexes_of() == {}
    reverse(remove, built)
    reverse(remove, built)
    assert list(indexes_of()) == [NAME]


def test_later_alteration_of_a_column_keeps_the_index(scratch):
    """SQLite makes the table anew then, with the indexes that the state knows."""
    built = run(add_number, scratch)
    run(AlterField("row", "word", models.CharField(max_length=40, null=True)), built)
    assert list(indexes_of()) == [NAME]


def test_index_is_known_to_the_states_after_its_operation_alone(scratch):
    built = run(add_number, scratch)
    removed = run(RemoveIndexConcurrently("row", NAME), built)
    states = (scratch, built, removed)
    assert [len(state.apps.get_model("crm", "row")._meta.indexes) for state in states] == [0, 1, 0]
    assert [len(state.models["crm", "row"].options["indexes"]) for state in states] == [0, 1, 0]


@pytest.mark.parametrize("other", OTHER_DEFINITIONS.values(), ids=OTHER_DEFINITIONS)
def test_name_of_another_definition_is_refused(scratch, other):
    run(AddIndexConcurrently("row", other), scratch)
    before = indexes_of()
    with pytest.raises(IndexNameTaken, match=NAME) as refusal:
        run(add_number, scratch)
    assert "in the database:" in str(refusal.value)
    assert "declared:" in str(refusal.value)
    assert indexes_of() == before


@postgres_only
@pytest.mark.parametrize(
    "written",
    [
        "(word) WHERE word::text = ANY (ARRAY[('eight'::varchar)::text, ('seven'::varchar)::text])",
        "(word) WITH (fillfactor = 70) WHERE word::text IN ('seven', 'eight')",
    ],
    ids=["as after a restore", "storage parameters"],
)
def test_index_in_other_words_is_kept(scratch, written):
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX {NAME} ON scratch_rows {written}")
    before = indexes_of()
    run(
        AddIndexConcurrently("row", Index(fields=["word"], condition=Q(word__in=["seven", "eight"]), name=NAME)),
        scratch,
    )
    assert indexes_of() == before


@postgres_only
def test_name_of_another_method_is_refused(scratch):
    run(AddIndexConcurrently("row", HashIndex(fields=["number"], name=NAME)), scratch)
    before = indexes_of()
    with pytest.raises(IndexNameTaken, match=r"(?s)USING hash \(number\).*USING btree \(number\)"):
        run(add_number, scratch)
    assert indexes_of() == before


def test_name_of_a_unique_index_is_refused(scratch):
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE UNIQUE INDEX "{NAME}" ON "scratch_rows" ("number") WHERE number > 7')
    before = indexes_of()
    with pytest.raises(IndexNameTaken, match="UNIQUE"):
        run(AddIndexConcurrently("row", Index(fields=["number"], condition=Q(number__gt=7), name=NAME)), scratch)
    assert indexes_of() == before


def test_name_of_an_index_on_another_table_is_refused_and_that_index_kept(scratch):
    neighbour = declare_rows("Neighbour", "scratch_neighbours")
    both = scratch.clone()
    neighbour.state_forwards("crm", both)
    with connection.schema_editor() as editor:
        neighbour.database_forwards("crm", editor, scratch, both)
    try:
        run(AddIndexConcurrently("neighbour", Index(fields=["number"], name=NAME)), both)
        with pytest.raises(IndexNameTaken, match="scratch_neighbours"):
            run(add_number, both)
        reverse(add_number, both)
        assert indexes_of() == {}
        assert list(indexes_of("scratch_neighbours")) == [NAME]
    finally:
        with connection.schema_editor() as editor:
            neighbour.database_backwards("crm", editor, both, scratch)


@postgres_only
def test_build_in_a_transaction_is_refused_with_a_remedy(scratch):
    with pytest.raises(TransactionManagementError, match="atomic = False"), transaction.atomic():
        run(add_number, scratch)
    assert indexes_of() == {}


@postgres_only
@pytest.mark.parametrize("succeeds", [True, False])
def test_session_timeouts_are_restored(scratch, succeeds):
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
def test_sqlmigrate_prints_the_statements_without_querying_the_indexes():
    printed = io.StringIO()
    with CaptureQueriesContext(connection) as queries:
        call_command("sqlmigrate", "analytics", "0002", stdout=printed, no_color=True)
    wanted = "CREATE INDEX CONCURRENTLY" if connection.vendor == "postgresql" else "CREATE INDEX"
    assert f'{wanted} "ix_call_analysis_tenant_id_analyzed_at" ON "call_analysis"' in printed.getvalue()
    assert "BEGIN" not in printed.getvalue()
    assert not [query for query in queries if "ix_call_analysis" in query["sql"] or "advisory" in query["sql"]]


@pytest.mark.django_db(transaction=True)
def test_sqlmigrate_prints_the_reverse_statements():
    printed = io.StringIO()
    call_command("sqlmigrate", "analytics", "0002", backwards=True, stdout=printed, no_color=True)
    wanted = "DROP INDEX CONCURRENTLY IF EXISTS" if connection.vendor == "postgresql" else "DROP INDEX"
    assert f'{wanted} "ix_call_analysis_tenant_id_analyzed_at"' in printed.getvalue()

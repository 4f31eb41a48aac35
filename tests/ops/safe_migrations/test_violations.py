"""Tests of violations: refusals and warnings with their recommendations, before anything has run."""

import pytest
from django.contrib.postgres.operations import TrigramExtension
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration, RunPython
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.recorder import MigrationRecorder

from ops.safe_migrations import recommendations as use
from ops.safe_migrations.plan import find_violations, plan_migration
from ops.safe_migrations.schema_facts import SchemaFacts
from tests.conftest import postgres_only
from tests.ops.safe_migrations.operation_table import (
    ADD_INDEX,
    CONCURRENT,
    FAILING,
    FINE,
    KNOWN,
    LONGER,
    REFUSED,
    WARNED,
)
from tests.ops.safe_migrations.planted import operations_of


@pytest.fixture(scope="module")
def models_before():
    """The models' state before a planted migration, with their classes made once for all tests."""
    state = MigrationLoader(None).project_state()
    state.apps  # noqa: B018  # makes the classes
    return state


@pytest.fixture
def large(settings, transactional_db):
    """Every table counts as large."""
    settings.LARGE_TABLE_ROWS = 0


def violations(source, state, *, large=("calls", "contacts"), facts=None, atomic=True):
    """Return the violations of a migration with these operations, without a database."""
    migration = Migration("1003_planted", "calls")
    migration.operations, migration.atomic = operations_of(source), atomic
    plan = plan_migration(
        migration, state.clone(), facts or SchemaFacts(constraints=["contacts_company_id_id_unique"]), set()
    )
    return list(find_violations(plan, large))


def is_applied(name="1003_planted"):
    return ("calls", name) in MigrationRecorder(connection).applied_migrations()


def keys_of(table, column):
    """Return the name of each foreign key with this column, and whether it is valid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, convalidated FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND"
            " attnum = ANY (conkey) WHERE contype = 'f' AND conrelid = %s::regclass AND attname = %s",
            [table, column],
        )
        return cursor.fetchall()


@pytest.mark.slow
@pytest.mark.parametrize(("source", "recommendation"), REFUSED.values(), ids=REFUSED)
def test_blocking_operation_is_refused_with_a_recommendation(models_before, source, recommendation):
    assert recommendation.refused
    assert recommendation in [violation.recommendation for violation in violations(source, models_before)]


@pytest.mark.slow
@pytest.mark.parametrize(("source", "_"), REFUSED.values(), ids=REFUSED)
def test_operation_on_small_tables_is_not_refused(models_before, source, _):
    assert not [
        violation for violation in violations(source, models_before, large=()) if violation.recommendation.refused
    ]


@pytest.mark.parametrize(("source", "recommendation"), FAILING.values(), ids=FAILING)
@pytest.mark.parametrize("large", [(), ("calls",)], ids=["small", "large"])
def test_operation_that_would_fail_is_refused_whatever_the_sizes(models_before, source, recommendation, large):
    assert recommendation.refused
    found = violations(source, models_before, large=large)
    assert recommendation in [violation.recommendation for violation in found]


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_operation_that_blocks_nobody_has_no_violations(models_before, source):
    assert violations(source, models_before) == []


def violations_of(operation, state):
    migration = Migration("1003_planted", "calls")
    migration.operations = [operation]
    plan = plan_migration(migration, state.clone(), SchemaFacts(), set())
    return [violation.recommendation for violation in find_violations(plan, ("calls", "contacts"))]


class AskServer(Operation):
    """An operation of a library that looks at the server before it decides."""

    reduces_to_sql = True

    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_extension_is_created_without_asking_a_server(models_before):
    assert violations_of(TrigramExtension(), models_before) == []


def test_operation_that_asks_the_server_is_judged_like_python(models_before, db):
    asked = violations_of(AskServer(), models_before)
    assert asked == violations_of(RunPython(RunPython.noop), models_before)


@pytest.mark.parametrize("source", CONCURRENT.values(), ids=CONCURRENT)
def test_concurrent_operation_outside_of_a_transaction_has_no_violations(models_before, source):
    assert violations(source, models_before, atomic=False) == []


@pytest.mark.parametrize(
    "script",
    [
        "CREATE INDEX CONCURRENTLY planted ON calls (id); SELECT 1",
        "DO $$ BEGIN CREATE INDEX CONCURRENTLY planted ON calls (id); END $$",
    ],
)
def test_concurrent_statement_must_be_alone_in_its_string(models_before, script):
    [violation] = violations(f'RunSQLForAllTenants("{script}")', models_before, atomic=False)
    assert violation.recommendation == use.IN_TRANSACTION


@pytest.mark.parametrize(
    ("step", "repeatable"),
    [
        (FINE["field"], False),
        ('migrations.CreateModel("Planted", [("id", models.BigAutoField(primary_key=True))])', False),
        ('RunSQLForAllTenants("ALTER TABLE calls ADD COLUMN n integer")', False),
        ('RunSQLForAllTenants("ALTER TABLE calls ADD COLUMN IF NOT EXISTS n integer")', True),
        ("RunSQLForAllTenants(\"CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'\")", True),
        (CONCURRENT["unique"], True),
        (CONCURRENT["removed index"], True),
    ],
)
def test_step_that_could_not_run_again_has_no_others_beside_it_outside_of_a_transaction(
    models_before, step, repeatable
):
    def warned(source, atomic=False):
        found = violations(source, models_before, atomic=atomic)
        return use.NOT_REPEATABLE in [violation.recommendation for violation in found]

    assert warned(f"{step}, {CONCURRENT['index']}") != repeatable
    assert not warned(step)
    assert not warned(f"{step}, {CONCURRENT['index']}", atomic=True)


@pytest.mark.parametrize(
    ("added", "removed"),
    [
        ("longer text under a check", 'migrations.RemoveConstraint("call", "planted")'),
        ("longer text under a condition", 'RunSQLForAllTenants("DROP INDEX CONCURRENTLY planted")'),
        ("longer text under an expression", 'RemoveIndexConcurrently("call", "planted")'),
    ],
)
def test_longer_text_is_fine_once_the_object_that_used_it_is_dropped(models_before, added, removed):
    source = REFUSED[added][0].removesuffix(LONGER.format(""))
    found = violations(f"{source} {removed}, {LONGER.format('')}", models_before, atomic=False)
    assert use.STATISTICS in [violation.recommendation for violation in found]
    assert not {use.CHECKED_TYPE, use.INDEXED_TYPE} & {violation.recommendation for violation in found}


@pytest.mark.parametrize(("source", "recommendation"), WARNED.values(), ids=WARNED)
def test_warning_is_given_for_a_table_of_any_size(models_before, source, recommendation):
    assert not recommendation.refused
    assert [violation.recommendation for violation in violations(source, models_before, large=())] == [recommendation]


@pytest.mark.parametrize("large", [(), ("calls",)])
@pytest.mark.parametrize("statement", ["ALTER TABEL calls", "SELECT do_everything()", "DROP INDEX nobody_knows_it"])
def test_statement_on_an_unknown_table_is_refused_whatever_the_sizes(models_before, statement, large):
    [violation] = violations(f'RunSQLForAllTenants("{statement}")', models_before, large=large)
    assert violation.recommendation.refused


def test_set_not_null_is_fine_once_a_valid_check_proves_it(models_before):
    facts = SchemaFacts()
    not_null = 'migrations.AlterField("call", "duration_s", models.PositiveIntegerField())'
    assert violations(f'AddConstraintNotValid("call", {KNOWN})', models_before, facts=facts) == []
    assert violations(not_null, models_before, facts=facts) != []
    assert violations('ValidateConstraint("call", "calls_duration_known")', models_before, facts=facts) == []
    assert violations(not_null, models_before, facts=facts) == []


def test_irreversible_operation_is_reported_before_anything_runs(models_before):
    migration = Migration("1003_planted", "calls")
    migration.operations = operations_of('RunSQLForAllTenants("SELECT 1")')
    with pytest.raises(IrreversibleError, match=r"calls.1003_planted: .* can't be reversed"):
        plan_migration(migration, models_before.clone(), SchemaFacts(), set(), backwards=True)


@postgres_only
def test_refused_migration_changes_nothing_and_runs_when_allowed(large, planted, capsys):
    planted(ADD_INDEX)
    with pytest.raises(CommandError, match=r"Refused: calls.1003_planted. .* --allow calls.1003_planted"):
        call_command("migrate_safely", "calls")
    printed = capsys.readouterr().out
    assert "REFUSED: calls.1003_planted" in printed
    assert "AddIndexConcurrently" in printed
    assert not is_applied()
    call_command("migrate_safely", "calls", allow=["calls.1003_planted"])
    assert "Warning: calls.1003_planted" in capsys.readouterr().out
    assert is_applied()


@postgres_only
def test_recommended_operations_run_on_large_tables(large, planted):
    planted(
        f'AddConstraintNotValid("call", {KNOWN})',
        'ValidateConstraint("call", "calls_duration_known")',
        'migrations.AlterField("call", "duration_s", models.PositiveIntegerField())',
        f"{FINE['same company key']}, {FINE['field with a database default'].replace('planted', 'text')}",
        'ValidateConstraint("call", "planted")',
    )
    call_command("migrate_safely", "calls")
    assert is_applied("1007_planted")


@postgres_only
def test_same_company_key_replaces_the_plain_key_and_is_validated_later(transactional_db, planted):
    planted(FINE["same company key"], 'ValidateConstraint("call", "planted")')
    for name, valid in (("1003", False), ("1004", True)):
        call_command("migrate_safely", "calls", name)
        assert keys_of("calls", "planted_id") == [("planted", valid)]


@postgres_only
def test_unique_constraint_is_added_concurrently_and_again_harmlessly(large, planted):
    planted(f"{CONCURRENT['unique']}, {CONCURRENT['unique with a condition']}", atomic=False)
    call_command("migrate_safely", "calls")
    MigrationRecorder(connection).record_unapplied("calls", "1003_planted")
    call_command("migrate_safely", "calls")
    with connection.cursor() as cursor:
        made = connection.introspection.get_constraints(cursor, "calls")
    assert made["planted"]["unique"]
    assert made["planted_where"]["unique"]


@pytest.mark.slow
def test_file_check_finds_violations_without_a_database(planted, capsys):
    """pytest-django fails a test that uses a database without asking for one."""
    planted(ADD_INDEX)
    with pytest.raises(CommandError, match=r"Refused: calls.1003_planted"):
        call_command("migrate_safely", check_files=True)
    assert "AddIndexConcurrently" in capsys.readouterr().out
    call_command("migrate_safely", check_files=True, allow=["calls.1003_planted"])


@pytest.mark.slow
def test_file_check_knows_the_triggers_of_earlier_migrations(planted, capsys):
    planted('migrations.AlterField("appointment", "status", models.CharField(max_length=99))')
    with pytest.raises(CommandError, match=r"Refused: calls.1003_planted"):
        call_command("migrate_safely", check_files=True)
    assert use.FIXED_TYPE.reason in capsys.readouterr().out


@pytest.mark.slow
def test_migration_files_of_the_repository_have_no_violations(capsys):
    call_command("migrate_safely", check_files=True)
    assert capsys.readouterr().out == "No migration blocks others on a large table.\n"

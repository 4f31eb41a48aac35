"""Tests of violations: refusals and warnings with their recommendations, before anything has run."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from ops.safe_migrations import recommendations as use
from ops.safe_migrations.plan import find_violations, plan_migration
from ops.safe_migrations.schema_facts import SchemaFacts
from tests.conftest import postgres_only
from tests.ops.safe_migrations.planted import operations_of

KNOWN = 'models.CheckConstraint(condition=models.Q(duration_s__isnull=False), name="calls_duration_known")'
ADD_INDEX = 'migrations.AddIndex("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))'
ADD_CHECK = (
    'migrations.AddConstraint("call", models.CheckConstraint(condition=~models.Q(from_number="x"), name="planted"))'
)
ADD_UNIQUE = 'migrations.AddConstraint("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))'
LONGER = 'migrations.AlterField("call", "recording_url", models.URLField(max_length=600{}))'
# Operations and their recommendation.
REFUSED = {
    "index": (ADD_INDEX, use.ADD_INDEX),
    "removed index": ('migrations.RemoveIndex("call", "ix_calls_created_at")', use.REMOVE_INDEX),
    "check": (ADD_CHECK, use.ADD_CONSTRAINT),
    "unique": (ADD_UNIQUE, use.UNIQUE),
    "changed type": (
        'migrations.AlterField("call", "duration_s", models.BigIntegerField(null=True))',
        use.CHANGE_TYPE,
    ),
    "shorter text": (
        'migrations.AlterField("call", "recording_url", models.URLField(max_length=400))',
        use.CHANGE_TYPE,
    ),
    "not null": (
        'migrations.AlterField("call", "completed_at", models.DateTimeField())',
        use.SET_NOT_NULL,
    ),
    "volatile default": (
        'migrations.AddField("call", "planted", models.UUIDField(db_default=RandomUUID()))',
        use.VALUE_PER_ROW,
    ),
    "stored": (
        'migrations.AddField("call", "planted", models.GeneratedField(expression=models.F("id") + 1,'
        " output_field=models.BigIntegerField(), db_persist=True))",
        use.VALUE_PER_ROW,
    ),
    "indexed field": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True, db_index=True))',
        use.ADD_INDEX,
    ),
    "unique field": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True, unique=True))',
        use.UNIQUE,
    ),
    "checked field": (
        'migrations.AddField("call", "planted", models.PositiveIntegerField(null=True))',
        use.ADD_COLUMN_WITH_CHECK,
    ),
    "foreign key": (
        'migrations.AlterField("call", "duration_s", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        ' db_column="duration_s", db_index=False))',
        use.ADD_CONSTRAINT,
    ),
    "key and index": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True))',
        use.ADD_INDEX,
    ),
    "statement on all rows": (
        "RunSQLForAllTenants(\"UPDATE calls SET to_number = ''\", migrations.RunSQL.noop)",
        use.ROWS,
    ),
    "statement with parameters": (
        'migrations.RunSQL([("UPDATE calls SET to_number = %s WHERE id = %s", ["x", 1])], migrations.RunSQL.noop)',
        use.ROWS,
    ),
    "statement that builds": (
        'RunSQLForAllTenants("SELECT 1; CREATE INDEX planted ON public.calls (id) -- fast", migrations.RunSQL.noop)',
        use.ADD_INDEX,
    ),
    "rewriting statement": (
        'RunSQLForAllTenants("ALTER TABLE calls SET UNLOGGED", migrations.RunSQL.noop)',
        use.REWRITE,
    ),
    "nested operation": (
        f"migrations.SeparateDatabaseAndState(database_operations=[{ADD_INDEX}])",
        use.ADD_INDEX,
    ),
    "validated under the lock": (
        f'AddConstraintNotValid("call", {KNOWN}), ValidateConstraint("call", "calls_duration_known")',
        use.HELD,
    ),
    "longer text under a check": (
        'AddConstraintNotValid("call", models.CheckConstraint(condition=~models.Q(recording_url="x"), name="planted")),'
        f" {LONGER.format('')}",
        use.CHECKED_TYPE,
    ),
    "longer text under a condition": (
        'migrations.AddIndex("call", crm.db.indexes.Index(fields=["id"], condition=models.Q(recording_url="x"),'
        f' name="planted")), {LONGER.format("")}',
        use.INDEXED_TYPE,
    ),
    "longer text under an expression": (
        'migrations.AddIndex("call", crm.db.indexes.Index(models.functions.Lower("recording_url"), name="planted")),'
        f" {LONGER.format('')}",
        use.INDEXED_TYPE,
    ),
    "longer text of an indexed column in another collation": (
        'migrations.AddIndex("call", crm.db.indexes.Index(fields=["recording_url"], name="planted")),'
        f""" {LONGER.format(', db_collation="C"')}""",
        use.INDEXED_TYPE,
    ),
    "python under the lock": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True)),'
        " RunPythonForAllTenants(migrations.RunPython.noop)",
        use.HELD,
    ),
}
# Operations that would fail, whatever the table's size.
FAILING = {
    "type of a generating column": (
        'migrations.AddField("call", "planted", models.GeneratedField('
        'expression=models.functions.Upper("recording_url"),'
        f" output_field=models.TextField(), db_persist=True)), {LONGER.format('')}",
        use.FIXED_TYPE,
    ),
    "column without a value": ('migrations.AddField("call", "planted", models.IntegerField())', use.NO_VALUE),
    "concurrent index": (
        'AddIndexConcurrently("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))',
        use.IN_TRANSACTION,
    ),
    "concurrent drop": ('RemoveIndexConcurrently("call", "ix_calls_created_at")', use.IN_TRANSACTION),
    "concurrent unique": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))',
        use.IN_TRANSACTION,
    ),
    "vacuum": ('RunSQLForAllTenants("VACUUM calls")', use.IN_TRANSACTION),
    "nested transaction": ('RunSQLForAllTenants("BEGIN; SELECT 1; COMMIT")', use.TRANSACTION),
    "savepoint": ('RunSQLForAllTenants("SAVEPOINT s")', use.TRANSACTION),
}
# Operations that block no session.
FINE = {
    "field": 'migrations.AddField("call", "planted", models.IntegerField(null=True))',
    "field with a database default": (
        'migrations.AddField("call", "planted", models.CharField(max_length=9, default="(a, b)", db_default="(a, b)"))'
    ),
    "stable default": 'migrations.AddField("call", "planted", models.DateTimeField(db_default=Now()))',
    "plain key": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        " db_index=False))"
    ),
    "same company key": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        ' db_index=False)), AddConstraintNotValid("call", crm.db.policies.SameCompany(field="planted", name="planted"))'
    ),
    "check not valid": f'AddConstraintNotValid("call", {KNOWN})',
    "new table": (
        'migrations.CreateModel("Planted", [("id", models.BigAutoField(primary_key=True)),'
        ' ("call", models.ForeignKey("calls.call", models.CASCADE)), ("n", models.PositiveIntegerField(unique=True))]),'
        ' migrations.AddIndex("planted", crm.db.indexes.Index(fields=["n", "call"], name="planted_n_call"))'
    ),
}
WARNED = {
    "rename": ('migrations.RenameField("call", "voicemail_url", "planted")', use.RENAME),
    "remove": ('migrations.RemoveField("call", "voicemail_url")', use.DROP_COLUMN),
    "python": ("RunPythonForAllTenants(migrations.RunPython.noop)", use.PYTHON),
    "longer text": (LONGER.format(""), use.STATISTICS),
    "null allowed": (
        'migrations.AlterField("call", "recording_url", models.URLField(max_length=500, null=True))',
        use.NULLABLE,
    ),
    "field with a default": (
        'migrations.AddField("call", "planted", models.CharField(max_length=9, default="(a, b)"))',
        use.REQUIRED_COLUMN,
    ),
    "field with a default for old rows": (
        'migrations.AddField("call", "planted", models.IntegerField(default=1), preserve_default=False)',
        use.REQUIRED_COLUMN,
    ),
    "database default removed": (
        'migrations.AddField("call", "planted", models.IntegerField(db_default=1)),'
        ' migrations.AlterField("call", "planted", models.IntegerField())',
        use.REQUIRED_COLUMN,
    ),
    "dropped extension": ('RunSQLForAllTenants("DROP EXTENSION pg_trgm")', use.DROP_OBJECT),
}
CONCURRENT = {
    "index": 'AddIndexConcurrently("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))',
    "removed index": 'RemoveIndexConcurrently("call", "ix_calls_created_at")',
    "unique": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))'
    ),
    "unique with a condition": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "booked"],'
        ' condition=models.Q(booked=True), name="planted_where"))'
    ),
}


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


def test_file_check_finds_violations_without_a_database(planted, capsys):
    """pytest-django fails a test that uses a database without asking for one."""
    planted(ADD_INDEX)
    with pytest.raises(CommandError, match=r"Refused: calls.1003_planted"):
        call_command("migrate_safely", check_files=True)
    assert "AddIndexConcurrently" in capsys.readouterr().out
    call_command("migrate_safely", check_files=True, allow=["calls.1003_planted"])


def test_migration_files_of_the_repository_have_no_violations(capsys):
    call_command("migrate_safely", check_files=True)
    assert capsys.readouterr().out == "No migration blocks others on a large table.\n"

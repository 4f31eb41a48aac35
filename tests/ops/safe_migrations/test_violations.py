"""What would keep others waiting on a large table is refused before anything has run, and the other way is said."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from ops.safe_migrations.plan import find_violations, plan_migration
from ops.safe_migrations.schema_facts import SchemaFacts
from tests.conftest import postgres_only
from tests.ops.safe_migrations.planted import operations_of

NOTE = 'models.CheckConstraint(condition=models.Q(duration_s__isnull=False), name="calls_duration_known")'
ADD_INDEX = 'migrations.AddIndex("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))'
ADD_CHECK = (
    'migrations.AddConstraint("call", models.CheckConstraint(condition=~models.Q(from_number="x"), name="planted"))'
)
ADD_UNIQUE = 'migrations.AddConstraint("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))'
# The source of one operation, and what is to be done in its place.
REFUSED = {
    "index": (ADD_INDEX, "AddIndexConcurrently"),
    "removed index": ('migrations.RemoveIndex("call", "ix_calls_created_at")', "RemoveIndexConcurrently"),
    "check": (ADD_CHECK, "AddConstraintNotValid"),
    "unique": (ADD_UNIQUE, "AddUniqueConstraintConcurrently"),
    "another type": (
        'migrations.AlterField("call", "duration_s", models.BigIntegerField(null=True))',
        "A new column of the new type",
    ),
    "a shorter text": (
        'migrations.AlterField("call", "recording_url", models.URLField(max_length=400))',
        "A new column of the new type",
    ),
    "not null": (
        'migrations.AlterField("call", "completed_at", models.DateTimeField())',
        "a CheckConstraint that the column is not NULL",
    ),
    "default of each row": (
        'migrations.AddField("call", "planted", models.UUIDField(db_default=RandomUUID()))',
        "the old rows in batches",
    ),
    "stored": (
        'migrations.AddField("call", "planted", models.GeneratedField(expression=models.F("id") + 1,'
        " output_field=models.BigIntegerField(), db_persist=True))",
        "the old rows in batches",
    ),
    "indexed field": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True, db_index=True))',
        "AddIndexConcurrently",
    ),
    "unique field": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True, unique=True))',
        "AddUniqueConstraintConcurrently",
    ),
    "checked field": (
        'migrations.AddField("call", "planted", models.PositiveIntegerField(null=True))',
        "The column without its check",
    ),
    "foreign key": (
        'migrations.AlterField("call", "duration_s", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        ' db_column="duration_s", db_index=False))',
        "AddConstraintNotValid",
    ),
    "key and index": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True))',
        "AddIndexConcurrently",
    ),
    "statement on all rows": (
        "RunSQLForAllTenants(\"UPDATE calls SET to_number = ''\", migrations.RunSQL.noop)",
        "By a command, in batches",
    ),
    "statement that builds": (
        'RunSQLForAllTenants("SELECT 1; CREATE INDEX planted ON public.calls (id) -- fast", migrations.RunSQL.noop)',
        "AddIndexConcurrently",
    ),
    "rewriting statement": (
        'RunSQLForAllTenants("ALTER TABLE calls SET UNLOGGED", migrations.RunSQL.noop)',
        "maintenance window",
    ),
    "hidden in another": (
        f"migrations.SeparateDatabaseAndState(database_operations=[{ADD_INDEX}])",
        "AddIndexConcurrently",
    ),
    "validated under the lock": (
        f'AddConstraintNotValid("call", {NOTE}), ValidateConstraint("call", "calls_duration_known")',
        "A migration of its own",
    ),
    "python under the lock": (
        'migrations.AddField("call", "planted", models.IntegerField(null=True)),'
        " RunPythonForAllTenants(migrations.RunPython.noop)",
        "A migration of its own",
    ),
}
# What nobody has to wait for.
FINE = {
    "field": 'migrations.AddField("call", "planted", models.IntegerField(null=True))',
    "field with a default": 'migrations.AddField("call", "planted", models.CharField(max_length=9, default="(a, b)"))',
    "time of its own": 'migrations.AddField("call", "planted", models.DateTimeField(db_default=Now()))',
    "plain key": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        " db_index=False))"
    ),
    "key within the company": (
        'migrations.AddField("call", "planted", models.ForeignKey("crm.contact", models.PROTECT, null=True,'
        ' db_index=False)), AddConstraintNotValid("call", crm.db.policies.SameCompany(field="planted", name="planted"))'
    ),
    "a longer text": 'migrations.AlterField("call", "recording_url", models.URLField(max_length=600))',
    "null allowed": 'migrations.AlterField("call", "recording_url", models.URLField(max_length=500, null=True))',
    "check of new rows": f'AddConstraintNotValid("call", {NOTE})',
    "table with all of it": (
        'migrations.CreateModel("Planted", [("id", models.BigAutoField(primary_key=True)),'
        ' ("call", models.ForeignKey("calls.call", models.CASCADE)), ("n", models.PositiveIntegerField(unique=True))]),'
        ' migrations.AddIndex("planted", crm.db.indexes.Index(fields=["n", "call"], name="planted_n_call"))'
    ),
}
WARNED = {
    "rename": ('migrations.RenameField("call", "voicemail_url", "planted")', "knows the old name alone"),
    "remove": ('migrations.RemoveField("call", "voicemail_url")', "First deploy code that no longer knows it"),
    "python": ("RunPythonForAllTenants(migrations.RunPython.noop)", "can't be read from here"),
}
CONCURRENT = {
    "index": 'AddIndexConcurrently("call", crm.db.indexes.Index(fields=["voicemail_url"], name="planted"))',
    "removed index": 'RemoveIndexConcurrently("call", "ix_calls_created_at")',
    "unique": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "status"], name="planted"))'
    ),
    "unique where": (
        'AddUniqueConstraintConcurrently("call", models.UniqueConstraint(fields=["id", "booked"],'
        ' condition=models.Q(booked=True), name="planted_where"))'
    ),
}


@pytest.fixture(scope="module")
def models_before():
    """The state of the models before a planted migration, with their classes made once for all tests."""
    state = MigrationLoader(None).project_state()
    state.apps  # noqa: B018  # makes them
    return state


@pytest.fixture
def large(settings, transactional_db):
    """As if every table were large."""
    settings.LARGE_TABLE_ROWS = 0


def violations(source, state, *, large=("calls", "contacts"), facts=None):
    """What is said of a migration with these operations, without a database."""
    migration = Migration("0003_planted", "calls")
    migration.operations = operations_of(source)
    plan = plan_migration(
        migration, state.clone(), facts or SchemaFacts(constraints=["contacts_company_id_id_unique"]), set()
    )
    return list(find_violations(plan, large))


def is_applied(name="0003_planted"):
    return ("calls", name) in MigrationRecorder(connection).applied_migrations()


def keys_of(table, column):
    """Name of each foreign key with this column, and whether the old rows are known to be fine."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, convalidated FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND"
            " attnum = ANY (conkey) WHERE contype = 'f' AND conrelid = %s::regclass AND attname = %s",
            [table, column],
        )
        return cursor.fetchall()


@pytest.mark.parametrize(("source", "instead"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_and_the_other_way_said(models_before, source, instead):
    refused = [violation.advice.instead for violation in violations(source, models_before) if violation.advice.refused]
    assert any(instead in said for said in refused)


@pytest.mark.parametrize(("source", "_"), REFUSED.values(), ids=REFUSED)
def test_on_small_tables_it_is_fine(models_before, source, _):
    assert not [violation for violation in violations(source, models_before, large=()) if violation.advice.refused]


@pytest.mark.parametrize("source", (FINE | CONCURRENT).values(), ids=FINE | CONCURRENT)
def test_what_keeps_nobody_waiting_is_fine(models_before, source):
    assert violations(source, models_before) == []


@pytest.mark.parametrize(("source", "warning"), WARNED.values(), ids=WARNED)
def test_it_is_warned_of_whatever_the_size(models_before, source, warning):
    [violation] = violations(source, models_before, large=())
    assert not violation.advice.refused
    assert warning in f"{violation.advice.why} {violation.advice.instead}"


def test_not_null_takes_a_moment_once_a_valid_check_proves_it(models_before):
    facts = SchemaFacts()
    not_null = 'migrations.AlterField("call", "duration_s", models.PositiveIntegerField())'
    assert violations(f'AddConstraintNotValid("call", {NOTE})', models_before, facts=facts) == []
    assert violations(not_null, models_before, facts=facts) != []
    assert violations('ValidateConstraint("call", "calls_duration_known")', models_before, facts=facts) == []
    assert violations(not_null, models_before, facts=facts) == []


def test_what_cannot_be_taken_back_says_so_before_anything_runs(models_before):
    migration = Migration("0003_planted", "calls")
    migration.operations = operations_of('RunSQLForAllTenants("SELECT 1")')
    with pytest.raises(IrreversibleError, match=r"calls.0003_planted: .* can't be taken back"):
        plan_migration(migration, models_before.clone(), SchemaFacts(), set(), backwards=True)


@postgres_only
def test_what_is_refused_changes_nothing_and_runs_when_allowed(large, planted, capsys):
    planted(ADD_INDEX)
    with pytest.raises(CommandError, match=r"Refused: calls.0003_planted. .* --allow calls.0003_planted"):
        call_command("migrate_safely", "calls")
    printed = capsys.readouterr().out
    assert "REFUSED: calls.0003_planted" in printed
    assert "AddIndexConcurrently" in printed
    assert not is_applied()
    call_command("migrate_safely", "calls", allow=["calls.0003_planted"])
    assert "Take care: calls.0003_planted" in capsys.readouterr().out
    assert is_applied()


@postgres_only
def test_what_is_recommended_runs_on_large_tables(large, planted):
    planted(
        f'AddConstraintNotValid("call", {NOTE})',
        'ValidateConstraint("call", "calls_duration_known")',
        'migrations.AlterField("call", "duration_s", models.PositiveIntegerField())',
        f"{FINE['key within the company']}, {FINE['field with a default'].replace('planted', 'text')}",
        'ValidateConstraint("call", "planted")',
    )
    call_command("migrate_safely", "calls")
    assert is_applied("0007_planted")


@postgres_only
def test_a_key_within_the_company_takes_the_place_of_the_plain_one_and_reads_the_rows_later(transactional_db, planted):
    planted(FINE["key within the company"], 'ValidateConstraint("call", "planted")')
    for name, valid in (("0003", False), ("0004", True)):
        call_command("migrate_safely", "calls", name)
        assert keys_of("calls", "planted_id") == [("planted", valid)]


@postgres_only
def test_a_unique_constraint_is_made_beside_the_writers_and_twice_is_harmless(large, planted):
    planted(f"{CONCURRENT['unique']}, {CONCURRENT['unique where']}", atomic=False)
    call_command("migrate_safely", "calls")
    MigrationRecorder(connection).record_unapplied("calls", "0003_planted")
    call_command("migrate_safely", "calls")
    with connection.cursor() as cursor:
        made = connection.introspection.get_constraints(cursor, "calls")
    assert made["planted"]["unique"]
    assert made["planted_where"]["unique"]


def test_the_files_are_judged_without_a_database(planted, capsys):
    """pytest-django stops a test that asks one and did not say so."""
    planted(ADD_INDEX)
    with pytest.raises(CommandError, match=r"Refused: calls.0003_planted"):
        call_command("migrate_safely", check_files=True)
    assert "AddIndexConcurrently" in capsys.readouterr().out
    call_command("migrate_safely", check_files=True, allow=["calls.0003_planted"])


def test_the_files_that_stand_are_fine(capsys):
    call_command("migrate_safely", check_files=True)
    assert capsys.readouterr().out == "No migration keeps anybody waiting on a large table.\n"

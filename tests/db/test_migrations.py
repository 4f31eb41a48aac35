"""The first two migrations of each app, tables and indexes, which can be dropped and restored with data in place.

Later migrations may add columns, constraints and indexes.
"""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from crm.db.index_operations import AddIndexConcurrently
from crm.db.triggers import drop_sqlite_triggers, recreate_sqlite_triggers
from tests import factories
from tests.db.catalogue import PRODUCT_APPS, existing_indexes, product_models, product_tables

TABLES, INDEXES = "0001_initial", "0002_performance_indexes"
FACTORIES = [
    factories.UserFactory,
    factories.ApiTokenFactory,
    factories.CalendarFeedFactory,
    factories.SecondFactorFactory,
    factories.UserSessionFactory,
    factories.MailFactory,
    factories.ContactFactory,
    factories.ContactFlagFactory,
    factories.ContactTagFactory,
    factories.ContactFieldValueFactory,
    factories.ContactListEntryFactory,
    factories.ConversationFactory,
    factories.CampaignMembershipFactory,
    factories.CampaignStepFactory,
    factories.SegmentFactory,
    factories.StoredFileChunkFactory,
    factories.StoredObjectFactory,
    factories.ImportRowFactory,
    factories.MarketingConsentFactory,
    factories.ContactMergeFactory,
    factories.DuplicateCandidateFactory,
    factories.InvoiceFactory,
    factories.AppointmentProposalFactory,
    factories.AppointmentReminderFactory,
    factories.AttachmentFactory,
    factories.CallDetailFactory,
    factories.MissedCallerFactory,
    factories.SnippetFactory,
    factories.TaskFactory,
    factories.TimeOffFactory,
    factories.OptOutEntryFactory,
    factories.ProviderAccountFactory,
    factories.ProviderHealthFactory,
    factories.WorkerHeartbeatFactory,
    factories.SavedViewFactory,
    factories.MessageFactory,
    factories.OutgoingEventFactory,
    factories.WebhookEventFactory,
    factories.WebhookSecretFactory,
    factories.CallAnalysisFactory,
    factories.LeadFactory,
    factories.SuppressedNumberFactory,
    factories.ArchivedIdFactory,
    factories.IdempotencyKeyFactory,
    factories.CallDayFactory,
    factories.LeadDayFactory,
    factories.ObjectionDayFactory,
    factories.CallObjectionFactory,
    factories.CallRollupFactory,
    factories.StaleCallHourFactory,
    factories.ArchivedCallsFactory,
    factories.ArchivedChunkFactory,
    factories.ArchivedObjectionsFactory,
]


@pytest.fixture(scope="module")
def migrations():
    return {
        key: migration for key, migration in MigrationLoader(None).disk_migrations.items() if key[0] in PRODUCT_APPS
    }


@pytest.fixture(scope="module")
def first_columns():
    """The columns of the first migrations that still exist, by table."""
    first = MigrationLoader(None).project_state([(app, TABLES) for app in PRODUCT_APPS]).apps
    then = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields}
        for app in PRODUCT_APPS
        for model in first.get_app_config(app).get_models()
    }
    return {
        model._meta.db_table: [
            field.column
            for field in model._meta.concrete_fields
            if field.column in then.get(model._meta.db_table, set())
        ]
        for model in product_models()
        if model._meta.db_table in then
    }


def contents(columns):
    """Return every row of these tables, as the database stores it."""
    found = {}
    with connection.cursor() as cursor:
        for table, names in columns.items():
            quoted = ", ".join(map(connection.ops.quote_name, names))
            cursor.execute(f"SELECT {quoted} FROM {table} ORDER BY id")
            found[table] = [[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor]
    return found


def indexes_of(app):
    return {index.name for model in product_models() if model._meta.app_label == app for index in model._meta.indexes}


def migrate(*targets):
    """Migrate to (app, migration) pairs, by default to the last ones, in one plan.

    A plan renders the state of every model for each migration, which costs more than the statements.
    """
    executor = MigrationExecutor(connection)
    drop_sqlite_triggers(using=connection.alias)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())
    recreate_sqlite_triggers(using=connection.alias)


def indexes_built_by(migration):
    return {operation.index.name for operation in migration.operations if isinstance(operation, AddIndexConcurrently)}


def drop_indexes(names):
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP INDEX {name}")


@pytest.fixture
def full_tables(transactional_db, first_columns):
    """One row in every table. Afterwards every migration is applied again."""
    for factory in FACTORIES:
        factory()
    yield contents(first_columns)
    migrate()


def test_every_table_has_a_row(full_tables):
    ids = contents({table: ["id"] for table in product_tables()})
    assert [table for table, rows in ids.items() if not rows] == []


@pytest.mark.slow
@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_reverting_to_0001_drops_only_the_indexes_and_migrating_restores_them(
    full_tables, first_columns, migrations, app
):
    before = existing_indexes()
    migrate(*[(app, INDEXES) for app in PRODUCT_APPS])
    at_0002, dropped = existing_indexes(), indexes_built_by(migrations[app, INDEXES])
    assert dropped <= at_0002.keys()
    call_command("migrate", app, "0001", verbosity=0)
    assert existing_indexes() == {name: index for name, index in at_0002.items() if name not in dropped}
    assert contents(first_columns) == full_tables
    migrate()
    assert existing_indexes() == before
    assert contents(first_columns) == full_tables


@pytest.mark.slow
def test_rows_can_be_written_without_the_indexes(full_tables, first_columns):
    drop_indexes(name for app in PRODUCT_APPS for name in indexes_of(app))  # later columns stay, as in the models
    factories.CallAnalysisFactory()
    factories.MessageFactory()
    migrate(*[(app, TABLES) for app in PRODUCT_APPS])
    migrate()
    assert len(contents(first_columns)["calls"]) == len(full_tables["calls"]) + 1


@pytest.mark.slow
def test_interrupted_migrations_are_finished_by_migrating_again(full_tables, migrations):
    before = existing_indexes()
    migrate(*[(app, INDEXES) for app in PRODUCT_APPS])
    for app in PRODUCT_APPS:
        MigrationRecorder(connection).record_unapplied(app, INDEXES)
        drop_indexes([max(indexes_built_by(migrations[app, INDEXES]))])  # the others exist, as after an interruption
    call_command("migrate", verbosity=0)
    assert existing_indexes() == before


@pytest.mark.slow
def test_interrupted_reversals_are_finished_by_reverting_again(full_tables):
    drop_indexes(max(indexes_of(app)) for app in PRODUCT_APPS)
    migrate(*[(app, TABLES) for app in PRODUCT_APPS])
    assert not {name for app in PRODUCT_APPS for name in indexes_of(app)} & existing_indexes().keys()


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_app_s_first_migrations_are_one_of_tables_and_one_of_indexes(migrations, app):
    assert sorted(name for label, name in migrations if label == app)[:2] == [TABLES, INDEXES]


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_migration_depends_on_lower_apps_and_the_first_ones_on_no_indexes(migrations, app):
    own = {name: migration.dependencies for (label, name), migration in migrations.items() if label == app}
    lower = PRODUCT_APPS[: PRODUCT_APPS.index(app)]
    assert {label for needed in own.values() for label, _ in needed if label in PRODUCT_APPS} <= {app, *lower}
    assert {name for first in (TABLES, INDEXES) for label, name in own[first] if label in lower} <= {TABLES}


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_index_migration_holds_only_concurrent_builds(migrations, app):
    migration = migrations[app, INDEXES]
    assert migration.atomic is False
    assert {type(operation) for operation in migration.operations} == {AddIndexConcurrently}


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_every_index_is_built_concurrently(migrations, app):
    built = [indexes_built_by(migration) for (label, _), migration in migrations.items() if label == app]
    assert indexes_of(app) <= set().union(*built)


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_table_migration_holds_no_index(migrations, app):
    operations = migrations[app, "0001_initial"].operations
    assert not [operation for operation in operations if getattr(operation, "options", {}).get("indexes")]

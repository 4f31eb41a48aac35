"""The two migrations of each app: tables, and indexes, which can be dropped and restored with data in place."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from crm.db.index_operations import AddIndexConcurrently
from tests import factories
from tests.db.catalogue import PRODUCT_APPS, existing_indexes, product_models, product_tables

FACTORIES = [
    factories.UserFactory,
    factories.ContactFactory,
    factories.ContactFlagFactory,
    factories.ConversationFactory,
    factories.CampaignMembershipFactory,
    factories.InvoiceFactory,
    factories.AppointmentFactory,
    factories.CallDetailFactory,
    factories.MissedCallerFactory,
    factories.OptOutEntryFactory,
    factories.ProviderAccountFactory,
    factories.MessageFactory,
    factories.WebhookEventFactory,
    factories.WebhookSecretFactory,
    factories.CallAnalysisFactory,
    factories.LeadFactory,
    factories.SuppressedNumberFactory,
    factories.ArchivedIdFactory,
    factories.IdempotencyKeyFactory,
    factories.CallDayFactory,
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


def contents():
    """Return every row of every product table, as the database stores it."""
    found = {}
    with connection.cursor() as cursor:
        for table in product_tables():
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            found[table] = [[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor]
    return found


def indexes_of(app):
    return {index.name for model in product_models() if model._meta.app_label == app for index in model._meta.indexes}


def migrate(*targets):
    """Migrate to (app, migration) pairs, by default to the last ones, in one plan.

    A plan renders the state of every model for each migration, which costs more than the statements.
    """
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


def drop_one_index(app):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {max(indexes_of(app))}")


@pytest.fixture
def full_tables(transactional_db):
    """One row in every table. Afterwards every migration is applied again."""
    for factory in FACTORIES:
        factory()
    yield contents()
    migrate()


def test_every_table_has_a_row(full_tables):
    assert [table for table, rows in full_tables.items() if not rows] == []


@pytest.mark.slow
@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_reverting_to_0001_drops_only_the_indexes_and_migrating_restores_them(full_tables, app):
    before = existing_indexes()
    call_command("migrate", app, "0001", verbosity=0)
    assert existing_indexes() == {name: index for name, index in before.items() if name not in indexes_of(app)}
    assert contents() == full_tables
    migrate()
    assert existing_indexes() == before
    assert contents() == full_tables


@pytest.mark.slow
def test_rows_can_be_written_without_the_indexes(full_tables):
    migrate(*[(app, "0001_initial") for app in PRODUCT_APPS])
    factories.CallAnalysisFactory()
    factories.MessageFactory()
    migrate()
    assert len(contents()["calls"]) == len(full_tables["calls"]) + 1


@pytest.mark.slow
def test_interrupted_migrations_are_finished_by_migrating_again(full_tables):
    before = existing_indexes()
    for app in PRODUCT_APPS:
        MigrationRecorder(connection).record_unapplied(app, "0002_performance_indexes")
        drop_one_index(app)  # the others exist, as after an interrupted migration
    call_command("migrate", verbosity=0)
    assert existing_indexes() == before


@pytest.mark.slow
def test_interrupted_reversals_are_finished_by_reverting_again(full_tables):
    for app in PRODUCT_APPS:
        drop_one_index(app)
    migrate(*[(app, "0001_initial") for app in PRODUCT_APPS])
    assert not {name for app in PRODUCT_APPS for name in indexes_of(app)} & existing_indexes().keys()


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_app_has_one_migration_of_tables_and_one_of_indexes(migrations, app):
    assert sorted(name for label, name in migrations if label == app) == ["0001_initial", "0002_performance_indexes"]


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_migration_depends_on_other_apps_tables_but_not_on_their_indexes(migrations, app):
    wanted = [needed for key, migration in migrations.items() if key[0] == app for needed in migration.dependencies]
    assert all(name == "0001_initial" for label, name in wanted if label in PRODUCT_APPS and label != app)
    order = [*reversed(PRODUCT_APPS[: PRODUCT_APPS.index(app)]), app]
    assert all(label in order for label, _ in wanted if label in PRODUCT_APPS)


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_index_migration_holds_only_concurrent_builds(migrations, app):
    migration = migrations[app, "0002_performance_indexes"]
    assert migration.atomic is False
    assert {type(operation) for operation in migration.operations} == {AddIndexConcurrently}
    assert {operation.index.name for operation in migration.operations} == indexes_of(app)


@pytest.mark.parametrize("app", PRODUCT_APPS)
def test_table_migration_holds_no_index(migrations, app):
    operations = migrations[app, "0001_initial"].operations
    assert not [operation for operation in operations if getattr(operation, "options", {}).get("indexes")]

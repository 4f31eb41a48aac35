"""Declared indexes as the database defines them.

Databases rewrite definitions, so Django's statements can't be compared with theirs. All models' tables are created
empty and temporary, and their indexes are read back.
"""

from typing import Any, cast

from django.apps import apps
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from ops.index_health.catalog import postgresql, sqlite
from ops.index_health.catalog.models import CatalogIndex

_declared_cache: dict[tuple[Any, ...], dict[str, CatalogIndex]] = {}


def read_declared(connection: BaseDatabaseWrapper) -> dict[str, CatalogIndex]:
    """Return the declared indexes by Django's names, including those of keys and unique fields.

    Creating all tables takes most of a report's time, so each process does it once for a server version and its models.

    Raises:
        DatabaseError: the server is a replica, or the role can't create temporary tables.
    """
    models = tuple(
        model
        for model in (*apps.get_models(), cast(type[Model], MigrationRecorder.Migration))
        if model._meta.managed and not model._meta.proxy
    )
    key = (connection.vendor, connection.get_database_version(), models)
    if key not in _declared_cache:
        _declared_cache[key] = _create_and_read(connection, models)
    return _declared_cache[key]


def _create_and_read(connection: BaseDatabaseWrapper, models: tuple[type[Model], ...]) -> dict[str, CatalogIndex]:
    if connection.vendor == "sqlite":
        twin = connection.copy()
        twin.settings_dict["NAME"] = ":memory:"
        try:
            _create_tables(twin, models)
            return sqlite.read_indexes(twin)
        finally:
            BaseDatabaseWrapper.close(twin)  # Django's SQLite wrapper doesn't close databases in memory
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # In their own schema temporary tables and indexes may have the names of the real ones, which stay unlocked.
        cursor.execute("SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)")
        _create_tables(connection, models)
        declared = postgresql.read_indexes(connection, schema="pg_my_temp_schema()")
        transaction.set_rollback(True, using=connection.alias)
    return declared


def _create_tables(connection: BaseDatabaseWrapper, models: tuple[type[Model], ...]) -> None:
    """Create the tables by one script, because each of its hundreds of statements would be a round trip."""
    with connection.schema_editor(atomic=False, collect_sql=True) as editor:
        for model in models:
            editor.create_model(model)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.connection.executescript("\n".join(editor.collected_sql))
        else:
            cursor.execute("\n".join(editor.collected_sql))

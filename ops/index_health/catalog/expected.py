"""What the models declare, worded by the database itself: all of it is built, empty, beside what stands, and read back.

Django's own words for an index can't be compared with a database's, which rewords what it is given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from django.apps import apps
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from ops.index_health.catalog import postgresql, sqlite
from ops.index_health.catalog.models import CatalogIndex


def read_declared(connection: BaseDatabaseWrapper) -> dict[str, CatalogIndex]:
    """By the names that Django gives, those of keys and unique fields included. Leaves nothing behind.

    Raises:
        DatabaseError: the server is a replica, or the role may make no temporary tables.
    """
    if connection.vendor == "sqlite":
        with _in_memory(connection) as twin:
            _create_all(twin)
            return sqlite.read_indexes(twin)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # Temporary tables may bear the names of those that stand, and so may their indexes, which nothing locks.
        cursor.execute("SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)")
        _create_all(connection)
        declared = postgresql.read_indexes(connection, schema="pg_my_temp_schema()")
        transaction.set_rollback(True, using=connection.alias)
    return declared


def _create_all(connection: BaseDatabaseWrapper) -> None:
    with connection.schema_editor(atomic=False) as editor:
        for model in (*apps.get_models(), cast(type[Model], MigrationRecorder.Migration)):
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)


@contextmanager
def _in_memory(connection: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    twin = connection.copy()
    twin.settings_dict["NAME"] = ":memory:"
    try:
        yield twin
    finally:
        BaseDatabaseWrapper.close(twin)  # SQLite's own close() spares what is in memory

"""Migration operations that add and remove indexes without blocking a writer, frozen into migrations.

On PostgreSQL an index is built and dropped CONCURRENTLY; on SQLite these are the ordinary operations. Neither runs in a
transaction, so a migration that breaks leaves some of its indexes behind, and a concurrent build that breaks leaves an
INVALID one, which `IF NOT EXISTS` would keep for ever. Here migrating again carries on: what stands as declared is left
alone, what is broken is built anew, and what is something else under the same name is refused.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, RemoveIndex, RunPython, RunSQL
from django.db.migrations.state import ProjectState
from django.db.transaction import TransactionManagementError
from django.db.utils import ProgrammingError

from crm.db.introspection import declared_definition, find_index
from crm.db.tenancy import all_tenants

TIMEOUTS = ["lock_timeout", "statement_timeout", "transaction_timeout"]
INDEX_BUILD_LOCK_ID = 7_061_959_436  # any number, as long as nothing else in the database takes the same advisory lock
POLL_S = 0.2


class IndexNameTaken(ProgrammingError):
    """The database holds an index of this name with another definition; nothing was changed."""


class AddIndexConcurrently(AddIndex):
    """Build an index while others write. Running it twice is harmless.

    Raises:
        IndexNameTaken: the name is in use on another table, or with other columns, method or condition.
        TransactionManagementError: the migration lacks `atomic = False`.
    """

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            build_index(schema_editor, model, self.index)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            drop_index(schema_editor, model, self.index)


class RemoveIndexConcurrently(RemoveIndex):
    """Drop an index while others write. Running it twice is harmless; backwards it is built again."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            drop_index(schema_editor, model, index)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            build_index(schema_editor, model, index)


class ForAllTenants:
    """Runs an operation with every company entered.

    A plain data migration runs as the tables' owner, whom their FORCEd policies bind like anybody: it would find
    nothing, change nothing, and succeed.
    """

    def database_forwards(self, *args: Any) -> None:
        with all_tenants():
            super().database_forwards(*args)  # type: ignore[misc]

    def database_backwards(self, *args: Any) -> None:
        with all_tenants():
            super().database_backwards(*args)  # type: ignore[misc]


class RunPythonForAllTenants(ForAllTenants, RunPython):
    """A data migration in Python. The plain RunPython is refused by a system check."""


class RunSQLForAllTenants(ForAllTenants, RunSQL):
    """A data migration in SQL. The plain RunSQL is refused by a system check."""


def build_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> None:
    """Build `index` unless a valid one of the same definition stands; repair a broken one."""
    if schema_editor.collect_sql:  # `sqlmigrate` only collects statements, and may have no database to ask
        schema_editor.add_index(model, index, **_concurrently(schema_editor))
        return
    with exclusive_build_lock(schema_editor):
        standing = find_index(schema_editor, model, index.name)
        if standing and standing.table != model._meta.db_table:
            raise IndexNameTaken(f"Index {index.name} exists, but on table {standing.table}: rename or drop it first.")
        if standing and standing.valid:
            declared = declared_definition(schema_editor, model, index)
            if standing.definition != declared:
                raise IndexNameTaken(
                    f"Index {index.name} exists with another definition.\n"
                    f"  in the database: {standing.definition}\n"
                    f"  declared:        {declared}\n"
                    "Drop or rename it, then migrate again."
                )
            return
        if standing:
            schema_editor.remove_index(model, index, **_concurrently(schema_editor))
        schema_editor.add_index(model, index, **_concurrently(schema_editor))


def drop_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> None:
    """Drop `index` if it stands on this model's table, valid or not."""
    if schema_editor.collect_sql:
        schema_editor.remove_index(model, index, **_concurrently(schema_editor))
        return
    with exclusive_build_lock(schema_editor):
        standing = find_index(schema_editor, model, index.name)
        if standing and standing.table == model._meta.db_table:
            schema_editor.remove_index(model, index, **_concurrently(schema_editor))


def _concurrently(schema_editor: BaseDatabaseSchemaEditor) -> dict[str, bool]:
    """The argument that only PostgreSQL's schema editor takes."""
    return {"concurrently": True} if schema_editor.connection.vendor == "postgresql" else {}


@contextmanager
def exclusive_build_lock(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """On PostgreSQL: one builder at a time, and no timeout while it has to outwait old transactions.

    A second `migrate` would take the first one's unfinished index for a broken one, and the two would deadlock. A
    timeout would only leave an INVALID index behind: a concurrent build waits without blocking anybody.

    Raises:
        TransactionManagementError: inside a transaction, which CREATE INDEX CONCURRENTLY refuses.
    """
    if schema_editor.connection.vendor != "postgresql":
        yield
        return
    if schema_editor.connection.in_atomic_block:
        raise TransactionManagementError(
            "CREATE INDEX CONCURRENTLY refuses a transaction: set atomic = False on the migration."
        )
    with schema_editor.connection.cursor() as cursor:
        # Asked again and again, never waited for: a session that waits holds a snapshot, for which the build of the
        # session that has the lock would wait in turn.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [INDEX_BUILD_LOCK_ID])
        while not cursor.fetchone()[0]:
            time.sleep(POLL_S)
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [INDEX_BUILD_LOCK_ID])
        try:
            with _without_timeouts(schema_editor):
                yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [INDEX_BUILD_LOCK_ID])


@contextmanager
def _without_timeouts(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Lift the session's timeouts, whichever of them this PostgreSQL knows, and put them back whatever happens."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [TIMEOUTS])
        before = cursor.fetchall()
        try:
            for name, _ in before:
                cursor.execute("SELECT set_config(%s, '0', false)", [name])
            yield
        finally:
            for name, setting in before:
                cursor.execute("SELECT set_config(%s, %s, false)", [name, setting])

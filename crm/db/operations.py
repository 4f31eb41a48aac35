"""Migration operations that add and remove indexes without blocking a writer, frozen into migrations.

On PostgreSQL an index is built and dropped CONCURRENTLY; elsewhere these are Django's ordinary operations. A build that
breaks half-way leaves an INVALID index behind, which `IF NOT EXISTS` would keep for ever: here, running the
migration again drops it and builds anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.state import ProjectState
from django.db.transaction import TransactionManagementError
from django.db.utils import ProgrammingError

TIMEOUTS = ("lock_timeout", "statement_timeout")


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
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
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
        if schema_editor.connection.vendor != "postgresql":
            return super().database_backwards(app_label, schema_editor, from_state, to_state)
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
        if schema_editor.connection.vendor != "postgresql":
            return super().database_forwards(app_label, schema_editor, from_state, to_state)
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
        if schema_editor.connection.vendor != "postgresql":
            return super().database_backwards(app_label, schema_editor, from_state, to_state)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            build_index(schema_editor, model, index)


def build_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> None:
    """Build `index` concurrently unless a valid one of the same definition stands; repair a broken one."""
    if not _runs_for_real(schema_editor):
        schema_editor.add_index(model, index, concurrently=True)
        return
    with _without_timeouts(schema_editor):
        standing = _find_index(schema_editor, index.name)
        if standing and standing.table != model._meta.db_table:
            raise IndexNameTaken(f"Index {index.name} exists, but on table {standing.table}: rename or drop it first.")
        if standing and standing.valid:
            declared = _definition_on_twin(schema_editor, model, index)
            if standing.definition != declared:
                raise IndexNameTaken(
                    f"Index {index.name} exists with another definition.\n"
                    f"  in the database: {standing.definition}\n"
                    f"  declared:        {declared}\n"
                    "Drop or rename it, then migrate again."
                )
            return
        if standing:
            schema_editor.remove_index(model, index, concurrently=True)
        schema_editor.add_index(model, index, concurrently=True)


def drop_index(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index) -> None:
    """Drop `index` concurrently if it stands on this model's table, valid or not."""
    if not _runs_for_real(schema_editor):
        schema_editor.remove_index(model, index, concurrently=True)
        return
    with _without_timeouts(schema_editor):
        standing = _find_index(schema_editor, index.name)
        if standing and standing.table == model._meta.db_table:
            schema_editor.remove_index(model, index, concurrently=True)


@dataclass(frozen=True)
class StandingIndex:
    """An index as the catalogue has it; `definition` is everything that does not name schema, table or index."""

    table: str
    valid: bool
    definition: str


def _runs_for_real(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """False under `sqlmigrate`, which only collects statements and may have no database to ask."""
    if schema_editor.collect_sql:
        return False
    if schema_editor.connection.in_atomic_block:
        raise TransactionManagementError(
            "CREATE INDEX CONCURRENTLY refuses a transaction: set atomic = False on the migration."
        )
    return True


@contextmanager
def _without_timeouts(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Lift the session's timeouts for a statement that may have to outwait old transactions, and put them back.

    A concurrent build waits without blocking anybody; a timeout would only leave an INVALID index behind.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in TIMEOUTS))
        before = cursor.fetchone()
        for name in TIMEOUTS:
            cursor.execute("SELECT set_config(%s, '0', false)", [name])
        try:
            yield
        finally:
            for name, value in zip(TIMEOUTS, before, strict=True):
                cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def _find_index(schema_editor: BaseDatabaseSchemaEditor, name: str) -> StandingIndex | None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.relname, i.indisvalid AND i.indisready, pg_get_indexdef(i.indexrelid)
            FROM pg_index i
            JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_class t ON t.oid = i.indrelid
            WHERE c.relname = %s AND c.relnamespace = current_schema()::regnamespace
            """,
            [name],
        )
        row = cursor.fetchone()
    return StandingIndex(row[0], row[1], _comparable(row[2])) if row else None


def _definition_on_twin(
    schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index
) -> str:
    """PostgreSQL's own wording of the declared index, had by building it on an empty copy of the table."""
    table, twin = model._meta.db_table, "index_definition_twin"
    quote = schema_editor.connection.ops.quote_name
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {quote(twin)} (LIKE {quote(table)})")
        try:
            statement = index.create_sql(model, schema_editor)
            statement.rename_table_references(table, twin)
            cursor.execute(str(statement))
            cursor.execute(
                "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass", [f"pg_temp.{twin}"]
            )
            return _comparable(cursor.fetchone()[0])
        finally:
            cursor.execute(f"DROP TABLE {quote(twin)}")


def _comparable(definition: str) -> str:
    """`CREATE [UNIQUE] INDEX name ON schema.table USING …` without the names."""
    head, _, tail = definition.partition(" USING ")
    return ("UNIQUE " if head.startswith("CREATE UNIQUE") else "") + "USING " + tail

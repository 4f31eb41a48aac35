"""Capture of the SQL that a migration would run on PostgreSQL, without a server."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib.postgres.operations import CreateExtension
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler

from crm.db.index_operations import AddIndexConcurrently, RemoveIndexConcurrently

OLDEST_POSTGRESQL = 150_000  # in psycopg2's numbering: the oldest server that a migration must run on
UNNAMED = "?"  # before a table: an index or constraint of which only the server knows the name


def connect_offline(alias: str = DEFAULT_DB_ALIAS) -> Any:
    """Return a connection that renders SQL for PostgreSQL without a server. Routers are asked about `alias`."""
    engine = {"ENGINE": "django.db.backends.postgresql"}
    connection: Any = ConnectionHandler({DEFAULT_DB_ALIAS: engine, alias: engine})[alias]
    connection.pg_version = OLDEST_POSTGRESQL  # else Django asks the server
    return connection


class Captured(NamedTuple):
    """One operation with its SQL scripts, and the state before it. No scripts: it runs Python, or asks the server."""

    operation: Operation
    scripts: tuple[str, ...] | None
    before: ProjectState


class CapturingEditor(DatabaseSchemaEditor):
    """A schema editor that keeps statements instead of running them, and never queries a server."""

    def __init__(self, alias: str) -> None:
        super().__init__(connect_offline(alias), collect_sql=True, atomic=False)
        self.deferred_sql: list[Any] = []

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Keep the statement, with empty literals for its parameters: its locks do not depend on them."""
        if isinstance(params, Mapping):
            sql = str(sql) % dict.fromkeys(params, "''")
        elif params:
            sql = str(sql) % (("''",) * len(params))
        self.collected_sql.append(str(sql))

    def pop_statements(self) -> tuple[str, ...]:
        """Return the statements since the last call, with those that Django runs at the migration's end."""
        scripts = (*self.collected_sql, *map(str, self.deferred_sql))
        self.collected_sql, self.deferred_sql = [], []
        return scripts

    def _constraint_names(self, model: Any, *args: Any, **kwargs: Any) -> list[str]:
        return [UNNAMED + model._meta.db_table]

    def _get_sequence_name(self, table: str, column: str) -> None:
        return None

    def _is_collation_deterministic(self, collation_name: str) -> bool:
        return True


def capture(
    migration: Migration, state: ProjectState, *, backwards: bool = False, alias: str = DEFAULT_DB_ALIAS
) -> Iterator[Captured]:
    """Yield each operation in the order in which it would run. `state` is the one before the migration, also backwards.

    Raises:
        IrreversibleError: an operation can't be reversed.
    """
    states = [state]
    for operation in migration.operations:
        states.append(states[-1].clone())
        operation.state_forwards(migration.app_label, states[-1])
    steps = list(zip(migration.operations, states, states[1:], strict=False))
    editor = CapturingEditor(alias)
    for operation, before, after in reversed(steps) if backwards else steps:
        if backwards and not operation.reversible:
            raise IrreversibleError(f"{migration}: {operation.describe()!r} can't be reversed.")
        scripts: tuple[str, ...] | None = None
        start, end = (after, before) if backwards else (before, after)
        if isinstance(operation, AddIndexConcurrently | RemoveIndexConcurrently):
            scripts = (_render_concurrent(operation, migration.app_label, before, backwards),)
        elif isinstance(operation, CreateExtension):  # Django asks the server whether the extension exists
            verb = "DROP EXTENSION IF EXISTS" if backwards else "CREATE EXTENSION IF NOT EXISTS"
            scripts = (f"{verb} {editor.quote_name(operation.name)}",)
        elif _is_sql(operation):
            # RunSQLForAllTenants would read the companies from a database.
            kind = RunSQL if isinstance(operation, RunSQL) else type(operation)
            run = kind.database_backwards if backwards else kind.database_forwards
            with suppress(ImproperlyConfigured):  # it asks the server, so its statements are unknown here
                run(operation, migration.app_label, editor, start, end)
                scripts = editor.pop_statements()
        yield Captured(operation, scripts, start)


def _render_concurrent(
    operation: AddIndexConcurrently | RemoveIndexConcurrently, app: str, before: ProjectState, backwards: bool
) -> str:
    """Render a statement with the same locks. Most migrations hold these, and rendering the models takes seconds."""
    model = before.models[app, operation.model_name_lower]
    table = model.options.get("db_table") or f"{app}_{model.name_lower}"
    if isinstance(operation, AddIndexConcurrently) is backwards:
        name = operation.index.name if isinstance(operation, AddIndexConcurrently) else operation.name
        return f'DROP INDEX CONCURRENTLY "{UNNAMED}{table}"."{name}"'
    return f'CREATE INDEX CONCURRENTLY ON "{table}" (id)'


def _is_sql(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(_is_sql(inner) for inner in operation.database_operations)
    return operation.reduces_to_sql

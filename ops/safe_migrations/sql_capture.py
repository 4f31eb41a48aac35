"""The statements that a migration would run on PostgreSQL, without a server."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler

from crm.db.index_operations import AddIndexConcurrently, RemoveIndexConcurrently

OLDEST_POSTGRESQL = 150_000  # as psycopg2 counts: what a migration runs, it has to run there
UNNAMED = "constraint of "  # and its table: a name that the server alone knows


def connect_offline(alias: str = DEFAULT_DB_ALIAS) -> Any:
    """What speaks PostgreSQL's SQL and connects to no server. Routers are asked about `alias`."""
    engine = {"ENGINE": "django.db.backends.postgresql"}
    connection: Any = ConnectionHandler({DEFAULT_DB_ALIAS: engine, alias: engine})[alias]
    connection.pg_version = OLDEST_POSTGRESQL  # else it would ask a server
    return connection


@dataclass(frozen=True)
class Recorded:
    """One operation with its SQL. It has none that can be known where it runs Python."""

    operation: Operation
    sql: str | None
    before: ProjectState
    after: ProjectState


class Recorder(DatabaseSchemaEditor):
    """Keeps statements in place of running them. Where the schema editor would ask the server, it makes do."""

    def __init__(self, alias: str) -> None:
        super().__init__(connect_offline(alias), collect_sql=True, atomic=False)
        self.deferred_sql: list[Any] = []

    def execute(self, sql: Any, params: Any = ()) -> None:
        self.collected_sql.append(str(sql))  # which lock it takes does not depend on its parameters

    def take(self) -> str:
        """What was kept since the last time, with what Django would run at the migration's end."""
        sql = ";\n".join([*self.collected_sql, *map(str, self.deferred_sql)])
        self.collected_sql, self.deferred_sql = [], []
        return sql

    def _constraint_names(self, model: Any, *args: Any, **kwargs: Any) -> list[str]:
        return [UNNAMED + model._meta.db_table]

    def _get_sequence_name(self, table: str, column: str) -> None:
        return None

    def _is_collation_deterministic(self, collation_name: str) -> bool:
        return True


def record(
    migration: Migration, state: ProjectState, *, backwards: bool = False, alias: str = DEFAULT_DB_ALIAS
) -> Iterator[Recorded]:
    """Each operation in the order in which it would run; `state` is that before the migration, also backwards.

    Raises:
        IrreversibleError: one of them can't be taken back.
    """
    states = [state]
    for operation in migration.operations:
        states.append(states[-1].clone())
        operation.state_forwards(migration.app_label, states[-1])
    steps = list(zip(migration.operations, states, states[1:], strict=False))
    recorder = Recorder(alias)
    for operation, before, after in reversed(steps) if backwards else steps:
        if backwards and not operation.reversible:
            raise IrreversibleError(f"{migration}: {operation.describe()!r} can't be taken back.")
        if isinstance(operation, AddIndexConcurrently | RemoveIndexConcurrently):
            yield Recorded(operation, _concurrently(operation, migration.app_label, before, backwards), before, after)
            continue
        if not _is_sql(operation):
            yield Recorded(operation, None, before, after)
            continue
        # What enters every company for a statement needs a database to enter them in.
        kind = RunSQL if isinstance(operation, RunSQL) else type(operation)
        run = kind.database_backwards if backwards else kind.database_forwards
        run(operation, migration.app_label, recorder, *((after, before) if backwards else (before, after)))
        yield Recorded(operation, recorder.take(), before, after)


def _concurrently(
    operation: AddIndexConcurrently | RemoveIndexConcurrently, app: str, before: ProjectState, backwards: bool
) -> str:
    """What matters of the statement. Most migrations are of these, and to render the models for each takes seconds."""
    model = before.models[app, operation.model_name_lower]
    table = model.options.get("db_table") or f"{app}_{model.name_lower}"
    if isinstance(operation, AddIndexConcurrently) is backwards:
        return f'DROP INDEX CONCURRENTLY "{UNNAMED}{table}"'
    return f'CREATE INDEX CONCURRENTLY "some index" ON "{table}" ()'


def _is_sql(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(_is_sql(inner) for inner in operation.database_operations)
    return operation.reduces_to_sql

"""Base classes of migration operations that run SQL and leave the models' state unchanged."""

from collections.abc import Callable, Sequence

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState

GetModel = Callable[[str], type[models.Model]]


class PostgresOperation(Operation):
    """Runs `statements`, and backwards `reverse_statements`. Other databases run the `sqlite_` ones, if any."""

    category = OperationCategory.SQL

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        raise NotImplementedError

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return []

    def sqlite_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return []

    def sqlite_reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return []

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        on_postgres = schema_editor.connection.vendor == "postgresql"
        statements = self.statements if on_postgres else self.sqlite_statements
        self._execute(statements, schema_editor, app_label, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        on_postgres = schema_editor.connection.vendor == "postgresql"
        statements = self.reverse_statements if on_postgres else self.sqlite_reverse_statements
        self._execute(statements, schema_editor, app_label, from_state)

    def _execute(
        self,
        statements: Callable[[BaseDatabaseSchemaEditor, GetModel], Sequence[str]],
        schema_editor: BaseDatabaseSchemaEditor,
        app_label: str,
        state: ProjectState,
    ) -> None:
        # `state.apps` renders every model, so it is read only by operations that ask for a model.
        for statement in statements(schema_editor, lambda name: state.apps.get_model(app_label, name)):
            schema_editor.execute(statement, params=None)


class TriggerOperation(PostgresOperation):
    """Creates the triggers that a model declares."""

    @property
    def key(self) -> tuple[str, ...]:
        """The identity of the triggers: a later operation of the app with an equal key replaces them."""
        raise NotImplementedError


class Undone(TriggerOperation):
    """Placed before an operation's class: drops what that one creates, and backwards creates it."""

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return super().reverse_statements(schema_editor, get_model)

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return super().statements(schema_editor, get_model)

    def sqlite_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return super().sqlite_reverse_statements(schema_editor, get_model)

    def sqlite_reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return super().sqlite_statements(schema_editor, get_model)

    def describe(self) -> str:
        return super().describe().replace("Create", "Drop", 1)


class CreateUnloggedTable(PostgresOperation):
    """Create a table without a model, for rows that may be lost in a crash of the server."""

    table: str
    columns: str
    storage = ""

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"CREATE UNLOGGED TABLE {self.table} ({self.columns}) {self.storage}"]

    def sqlite_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"CREATE TABLE {self.table} ({self.columns})"]

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"DROP TABLE {self.table}"]

    sqlite_reverse_statements = reverse_statements

    def describe(self) -> str:
        return f"Create {self.table}"

"""Migration operations that add constraints to a large table while others write to it, frozen into migrations.

A constraint is added in two steps: NOT VALID takes a short lock and binds what is written from then on; validating
reads the old rows while others write. They belong in two migrations: in one transaction the lock of the first would
outlast the second. On SQLite the first does both.

A unique constraint is made of an index that is built CONCURRENTLY, outside of a transaction.
"""

from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from crm.db.index_operations import build_index
from crm.db.indexes import UniqueIndex
from crm.db.policies import SameCompany


class AddConstraintNotValid(AddConstraint):
    """Add a CheckConstraint, or a SameCompany, for rows to come."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        constraint: Any = self.constraint
        if isinstance(constraint, SameCompany):
            key, adding, _validating, dropping = constraint.statements(model, schema_editor)
            for statement in (key, adding, dropping):
                schema_editor.execute(statement, params=None)
        else:
            schema_editor.execute(f"{constraint.create_sql(model, schema_editor)} NOT VALID", params=None)


class ValidateConstraint(Operation):
    """Have the old rows checked, too. Running it twice is harmless."""

    reduces_to_sql = True

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"model_name": self.model_name, "name": self.name}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """To the models a constraint is the same before and after."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor == "postgresql" and self._is_ours(schema_editor, model):
            quote = schema_editor.quote_name
            schema_editor.execute(
                f"ALTER TABLE {quote(model._meta.db_table)} VALIDATE CONSTRAINT {quote(self.name)}", params=None
            )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """What was checked stays checked."""

    def describe(self) -> str:
        return f"Validate constraint {self.name} on {self.model_name}"

    def _is_ours(self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model]) -> bool:
        return self.allow_migrate_model(schema_editor.connection.alias, model)


class AddUniqueConstraintConcurrently(AddConstraint):
    """Add a unique constraint on fields, perhaps with a condition, while others write. Running it twice is harmless.

    Rows that are equal make it fail; once they are not, migrating again carries on.
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
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        unique: Any = self.constraint
        index = UniqueIndex(fields=unique.fields, condition=unique.condition, name=unique.name)
        build_index(schema_editor, model, index)
        if unique.condition is None and not self._stands(schema_editor, model):
            table, name = schema_editor.quote_name(model._meta.db_table), schema_editor.quote_name(unique.name)
            schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}", params=None)

    def _stands(self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model]) -> bool:
        if schema_editor.collect_sql:
            return False
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass",
                [self.constraint.name, schema_editor.quote_name(model._meta.db_table)],
            )
            return cursor.fetchone() is not None

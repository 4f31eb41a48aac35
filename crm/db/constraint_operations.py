"""Migration operations that add constraints to a large table while others write to it. Frozen into migrations.

A constraint takes two steps. NOT VALID takes a short lock and binds new rows; validating then reads the old rows while
others write. They belong in two migrations: in one transaction the first lock would be held until the second step ends.
On SQLite the first step does both.

A unique constraint is made from an index that is built CONCURRENTLY, outside of a transaction.
"""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint
from django.db.migrations.state import ProjectState

from crm.db.index_operations import build_index
from crm.db.indexes import UniqueIndex
from crm.db.policies import SameCompany
from crm.db.postgres_operations import GetModel, PostgresOperation


class AddConstraintOnline(AddConstraint):
    """Base class: an AddConstraint that adds it by other means on PostgreSQL."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(schema_editor.connection.alias, model):
            self.add_on_postgresql(schema_editor, model, self.constraint)

    def add_on_postgresql(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], constraint: Any
    ) -> None:
        raise NotImplementedError


class AddConstraintNotValid(AddConstraintOnline):
    """Add a CheckConstraint or SameCompany for new rows alone."""

    def add_on_postgresql(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], constraint: Any
    ) -> None:
        if isinstance(constraint, SameCompany):
            unique_key, add, _validate, drop_plain_key = constraint.statements(model, schema_editor)
            statements = [unique_key, add, drop_plain_key]
        else:
            statements = [f"{constraint.create_sql(model, schema_editor)} NOT VALID"]
        for statement in statements:
            schema_editor.execute(statement, params=None)


class ValidateConstraint(PostgresOperation):
    """Check the old rows. Running it twice is harmless; backwards it does nothing."""

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"model_name": self.model_name, "name": self.name}

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        model, quote = get_model(self.model_name), schema_editor.quote_name
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return []
        return [f"ALTER TABLE {quote(model._meta.db_table)} VALIDATE CONSTRAINT {quote(self.name)}"]

    @property
    def migration_name_fragment(self) -> str:
        return f"validate_{self.name}"

    def describe(self) -> str:
        return f"Validate constraint {self.name} on {self.model_name}"


class AddUniqueConstraintConcurrently(AddConstraintOnline):
    """Add a unique constraint on fields, perhaps with a condition, while others write. Running it twice is harmless.

    Duplicate rows make it fail; remove them and migrate again.
    """

    atomic = False

    def add_on_postgresql(
        self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], constraint: Any
    ) -> None:
        index = UniqueIndex(fields=constraint.fields, condition=constraint.condition, name=constraint.name)
        build_index(schema_editor, model, index)
        if constraint.condition is None and not self._exists(schema_editor, model):
            table, name = schema_editor.quote_name(model._meta.db_table), schema_editor.quote_name(constraint.name)
            schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}", params=None)

    def _exists(self, schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model]) -> bool:
        if schema_editor.collect_sql:
            return False
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass",
                [self.constraint.name, schema_editor.quote_name(model._meta.db_table)],
            )
            return cursor.fetchone() is not None

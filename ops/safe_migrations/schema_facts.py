"""What statements do not say, and what they do depends on."""

from collections.abc import Container
from dataclasses import dataclass, field

from django.db.migrations.state import ProjectState

from ops.safe_migrations.sql_capture import UNNAMED, connect_offline


@dataclass
class SchemaFacts:
    """What stands before a statement: of the server where there is one, else of the migrations before it."""

    constraints: Container[str] = frozenset()
    """By name."""
    not_null_checks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The (table, column) of each check constraint that rules NULL out, valid or not yet."""
    never_null: set[tuple[str, str]] = field(default_factory=set)
    """Each (table, column) that a valid one is about."""
    state: ProjectState = field(default_factory=ProjectState)
    """The models."""

    def type_of(self, table: str, column: str) -> str:
        """As PostgreSQL words it; empty for a column of no model."""
        for model in self.state.apps.get_models(include_auto_created=True):
            if model._meta.db_table == table:
                connection = connect_offline()
                types = [field.db_type(connection) for field in model._meta.local_fields if field.column == column]
                return types[0] or "" if types else ""
        return ""

    def table_of(self, index: str) -> str:
        """Empty for an index of no model."""
        if index.startswith(UNNAMED):
            return index.removeprefix(UNNAMED)
        for model in self.state.apps.get_models(include_auto_created=True):
            if any(declared.name == index for declared in model._meta.indexes):
                return model._meta.db_table
        return ""

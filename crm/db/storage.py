"""Storage settings of busy tables on PostgreSQL. Frozen into migrations."""

from collections.abc import Mapping
from typing import Any

from crm.db.policies import PostgresConstraint

# By default autovacuum waits until a fifth of a table is dead: of a million rows, 200,000. On a table that is always
# written to, that slows each query until then, and the vacuum itself is long.
BUSY_TABLE = {
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_vacuum_insert_scale_factor": 0.05,
    "autovacuum_analyze_scale_factor": 0.02,
}


class StorageSettings(PostgresConstraint):
    """Storage parameters of the table. For Django it is a constraint, so `makemigrations` detects a change.

    A fillfactor below 100 leaves room for updates in the row's own page (HOT), which write no index. That needs
    updates which change no indexed column, nor one in an index's condition.
    """

    def __init__(self, *, parameters: Mapping[str, float], name: str) -> None:
        super().__init__(name=name)
        self.parameters = dict(parameters)

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, kwargs | {"parameters": self.parameters}

    def statements(self, model: Any, schema_editor: Any) -> list[str]:
        settings = ", ".join(f"{parameter} = {value}" for parameter, value in self.parameters.items())
        return [f"ALTER TABLE {schema_editor.quote_name(model._meta.db_table)} SET ({settings})"]

    def reverse_statements(self, model: Any, schema_editor: Any) -> list[str]:
        return [f"ALTER TABLE {schema_editor.quote_name(model._meta.db_table)} RESET ({', '.join(self.parameters)})"]

"""Triggers that keep one table in step with another, whichever path a write to that other takes.

A model says `triggers = Triggers(…)`, and its app's migration `CreateTriggers(…)`, with the text frozen into it. On
PostgreSQL the operation makes them. Django changes a table of SQLite by making a new one and dropping the old one with
its triggers: there they are made anew after each `migrate`, from the models as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

# Rows of a statement are seen all at once, as tables of these names: a statement of a million rows costs one call.
TRANSITION_TABLES = {
    "INSERT": "REFERENCING NEW TABLE AS after",
    "UPDATE": "REFERENCING OLD TABLE AS before NEW TABLE AS after",
    "DELETE": "REFERENCING OLD TABLE AS before",
    "TRUNCATE": "",
}


@dataclass(frozen=True)
class Triggers:
    """What is to happen when rows of the table `on` are written."""

    on: str
    name: str
    """Of PostgreSQL's function, and the beginning of each trigger's."""
    postgresql: str
    """The function's body, in PL/pgSQL; once a statement, TRUNCATE included, with the rows in `before` and `after`."""
    each_row: Mapping[str, str] = field(default_factory=dict)
    """By the event, for which rows it is called one by one, as NEW or OLD, in place of once a statement. PostgreSQL
    asks that without calling the function: where few rows matter it costs next to nothing."""
    sqlite: Mapping[str, str] = field(default_factory=dict)
    """What follows CREATE TRIGGER, by what ends the trigger's name; once a row."""


class CreateTriggers(Operation):
    """Make the function and the triggers that call it. Running it twice is harmless."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, on: str, name: str, postgresql: str, each_row: Mapping[str, str] | None = None) -> None:
        self.on, self.name, self.postgresql, self.each_row = on, name, postgresql, dict(each_row or {})

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        fields: dict[str, Any] = {"on": self.on, "name": self.name, "postgresql": self.postgresql}
        return type(self).__name__, [], fields | ({"each_row": self.each_row} if self.each_row else {})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Triggers are no part of the models' state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        schema_editor.execute(
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $${self.postgresql}$$",
            params=None,
        )
        for event, seen in TRANSITION_TABLES.items():
            called = f"{seen} FOR EACH STATEMENT"
            if event in self.each_row:
                called = f"FOR EACH ROW WHEN ({self.each_row[event]})"
            schema_editor.execute(
                f"CREATE OR REPLACE TRIGGER {self.name}_{event.lower()} AFTER {event} ON {self.on} {called}"
                f" EXECUTE FUNCTION {self.name}()"
            )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION IF EXISTS {self.name}() CASCADE")  # and the triggers with it
            return
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{self.name}_*"])
            for (name,) in cursor.fetchall():
                schema_editor.execute(f"DROP TRIGGER {name}")

    def describe(self) -> str:
        return f"Keep in step with {self.on}: {self.name}"


def models_with_triggers() -> list[tuple[type[models.Model], Triggers]]:
    """Every model that is kept in step by triggers, with them."""
    declared = [(model, getattr(model, "triggers", None)) for model in apps.get_models()]
    return [(model, triggers) for model, triggers in declared if isinstance(triggers, Triggers)]


def make_sqlite_triggers(*, using: str, **_signal: Any) -> None:
    """After `migrate`: the triggers of every such model whose table stands."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        standing = set(connection.introspection.table_names(cursor))
        for model, triggers in models_with_triggers():
            if {model._meta.db_table, triggers.on} <= standing:
                for event, statement in triggers.sqlite.items():
                    cursor.execute(f"DROP TRIGGER IF EXISTS {triggers.name}_{event}")
                    cursor.execute(f"CREATE TRIGGER {triggers.name}_{event} {statement}")

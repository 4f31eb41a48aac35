"""Triggers that keep one table consistent with another after every write to the other.

A model declares `triggers = Triggers(…)`. `makemigrations` writes `CreateTriggers(…)` with the same text, which creates
them on PostgreSQL, and `DropTriggers(…)` when the declaration has gone. On SQLite `recreate_sqlite_triggers` creates
them from the models after each `migrate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from crm.db.postgres_operations import GetModel, TriggerOperation, Undone

# A trigger for each statement sees its rows as tables of these names: a million rows cost one call.
TRANSITION_TABLES = {
    "INSERT": "REFERENCING NEW TABLE AS after",
    "UPDATE": "REFERENCING OLD TABLE AS before NEW TABLE AS after",
    "DELETE": "REFERENCING OLD TABLE AS before",
    "TRUNCATE": "",
}


EVENTS = tuple(TRANSITION_TABLES)


class TriggerDeclaration:
    """A declaration of triggers, as an attribute of a model."""

    def sqlite_tables(self, model: type[models.Model]) -> set[str]:
        """Return the tables that must exist before the SQLite triggers can be created."""
        raise NotImplementedError

    def sqlite_triggers(self, model: type[models.Model]) -> dict[str, str]:
        """Return the text after `CREATE TRIGGER name`, by the trigger's name."""
        raise NotImplementedError

    def operation(self, model: type[models.Model]) -> TriggerOperation:
        """Return the operation that creates the PostgreSQL triggers."""
        raise NotImplementedError


@dataclass(frozen=True)
class Triggers(TriggerDeclaration):
    """Triggers on the table `on` that write to the table of the declaring model."""

    on: str
    name: str
    """Name of the PostgreSQL function, and prefix of the triggers' names."""
    postgresql: str
    """Body of the function in PL/pgSQL, called for each statement with tables `before` and `after`."""
    each_row: Mapping[str, str] = field(default_factory=dict)
    """Conditions by event: for such rows the function is called one by one, with NEW or OLD, not for each statement.
    PostgreSQL evaluates a condition without calling the function, which is cheap where few of a statement's rows match,
    but compiles it anew for each statement. `true`: all rows, without a condition."""
    each_statement: tuple[str, ...] = EVENTS
    """The events of the function's statements. Each costs a copy of its rows and a call, even if it does nothing."""
    timing: str = "AFTER"
    """BEFORE: the function may change the row, and must return it. For `each_row` alone."""
    sqlite: Mapping[str, str] = field(default_factory=dict)
    """Text after `CREATE TRIGGER name`, for each row, by the suffix of the trigger's name."""

    def sqlite_tables(self, model: type[models.Model]) -> set[str]:
        return {model._meta.db_table, self.on}

    def sqlite_triggers(self, model: type[models.Model]) -> dict[str, str]:
        return {f"{self.name}_{event}": text for event, text in self.sqlite.items()}

    def operation(self, model: type[models.Model]) -> TriggerOperation:
        return CreateTriggers(self.on, self.name, self.postgresql, self.each_row, self.each_statement, self.timing)


class CreateTriggers(TriggerOperation):
    """Create a trigger function and its triggers. Frozen into migrations; running it twice is harmless."""

    def __init__(
        self,
        on: str,
        name: str,
        postgresql: str,
        each_row: Mapping[str, str] | None = None,
        each_statement: Sequence[str] = EVENTS,
        timing: str = "AFTER",
    ) -> None:
        self.on, self.name, self.postgresql, self.timing = on, name, postgresql, timing
        self.each_row, self.each_statement = dict(each_row or {}), [*each_statement]

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        fields: dict[str, Any] = {"on": self.on, "name": self.name, "postgresql": self.postgresql}
        if self.each_row:
            fields["each_row"] = self.each_row
        if self.each_statement != [*EVENTS]:
            fields["each_statement"] = self.each_statement
        if self.timing != "AFTER":
            fields["timing"] = self.timing
        return type(self).__name__, [], fields

    @property
    def key(self) -> tuple[str, ...]:
        return "triggers", self.on, self.name

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        statements = [
            f"CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $${self.postgresql}$$"
        ]
        for event, tables in TRANSITION_TABLES.items():
            if event in self.each_row:
                condition = self.each_row[event]
                # PostgreSQL compiles a condition anew for each statement.
                level = "FOR EACH ROW" if condition == "true" else f"FOR EACH ROW WHEN ({condition})"
            elif event in self.each_statement:
                level = f"{tables} FOR EACH STATEMENT"
            else:  # another version of the declaration may have had it
                statements.append(f"DROP TRIGGER IF EXISTS {self.name}_{event.lower()} ON {self.on}")
                continue
            statements.append(
                f"CREATE OR REPLACE TRIGGER {self.name}_{event.lower()} {self.timing} {event} ON {self.on} {level}"
                f" EXECUTE FUNCTION {self.name}()"
            )
        return statements

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"DROP FUNCTION IF EXISTS {self.name}() CASCADE"]  # CASCADE drops the triggers

    def sqlite_reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB %s", [f"{self.name}_*"])
            return [f"DROP TRIGGER {name}" for (name,) in cursor.fetchall()]

    @property
    def migration_name_fragment(self) -> str:
        return self.name

    def describe(self) -> str:
        return f"Create triggers on {self.on}: {self.name}"


class DropTriggers(Undone, CreateTriggers):
    """Drop a trigger function and its triggers. Frozen into migrations."""


Declaration = TypeVar("Declaration", bound=TriggerDeclaration)


def declared_triggers(kind: type[Declaration]) -> list[tuple[type[models.Model], Declaration]]:
    """Return each model with its declaration of this kind, where it has one."""
    declared = [
        (model, getattr(model, attribute, None))
        for model in apps.get_models()
        for attribute in ("audit", "triggers", "feed")
    ]
    return [(model, declaration) for model, declaration in declared if isinstance(declaration, kind)]


def drop_sqlite_triggers(*, using: str, **_signal: Any) -> None:
    """Drop every declared trigger, before `migrate`: SQLite drops no column that a trigger names."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for model, declaration in declared_triggers(TriggerDeclaration):
                for name in declaration.sqlite_triggers(model):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def recreate_sqlite_triggers(*, using: str, **_signal: Any) -> None:
    """Recreate every declared trigger whose tables exist, after `migrate`.

    Django alters a SQLite table by copying it and dropping the old one together with its triggers.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model, declaration in declared_triggers(TriggerDeclaration):
            if declaration.sqlite_tables(model) <= tables:
                for name, text in declaration.sqlite_triggers(model).items():
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                    cursor.execute(f"CREATE TRIGGER {name} {text}")

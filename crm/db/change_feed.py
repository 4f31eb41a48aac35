"""Triggers that record changes for clients: rows of `changes`, written in the transaction of the change itself.

They also set the row's `updated_at`, where it has one.

A model declares `feed = Feed(…)`, and `makemigrations` writes `CreateFeedTriggers(…)`, which creates them on
PostgreSQL. On SQLite `crm.db.triggers.recreate_sqlite_triggers` creates them from the models after each `migrate`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from crm.db.postgres_operations import GetModel, TriggerOperation, Undone
from crm.db.triggers import TriggerDeclaration

TABLE = "changes"
COLUMNS = "company_id, xid, resource, object_id, contact_id, rep_id, change, at"
# A row that changes its contact or rep has left one place and moved to another.
CREATED, UPDATED, DELETED, LEFT, MOVED = "created", "updated", "deleted", "left", "moved"
EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}
STAMP = "updated_at"

# Demo data are millions of rows, and have the times that they were given. The switch is that of the audit triggers.
RECORDED = "current_setting('crm.recorded', true) IS DISTINCT FROM 'off'"


@dataclass(frozen=True)
class Dialect:
    differs: str
    xid: str  # SQLite has one writer: its ids are in the order of the commits
    now: str
    insert: str
    insert_if: str


_INSERT = f"INSERT INTO {TABLE} ({COLUMNS})"
POSTGRESQL = Dialect(
    "IS DISTINCT FROM",
    "txid_current()",
    "clock_timestamp()",
    f"{_INSERT} VALUES ({{values}});",
    f"IF {{condition}} THEN {_INSERT} VALUES ({{values}}); END IF;",
)
SQLITE = Dialect(
    "IS NOT",
    "0",
    "strftime('%Y-%m-%d %H:%M:%f', 'now')",
    f"{_INSERT} VALUES ({{values}});",
    f"{_INSERT} SELECT {{values}} WHERE {{condition}};",
)


@dataclass(frozen=True)
class Also:
    """Another resource that shows a model's rows, beside that of its `Feed`."""

    resource: str
    key: str = "id"
    """The object's id. If it isn't that of the row, the row is a part of the object."""
    condition: str = ""
    """The rows that it shows, as in `{row}.status = 'held'`. One that no longer matches is deleted there."""

    def changes(self, event: str, dialect: Dialect) -> Iterator[tuple[str, str, list[str]]]:
        """Yield the changes to record, as `Feed._changes` does."""
        row, is_own = EVENTS[event], self.key == "id"
        deleted = DELETED if is_own else UPDATED
        kind, conditions = f"'{deleted if event == 'DELETE' else UPDATED}'", [*_has_object(self.key, row)]
        if event != "UPDATE":
            conditions += [self.condition.format(row=row)] if self.condition else []
        elif self.condition:
            shown, was_shown = (self.condition.format(row=each) for each in (row, "OLD"))
            kind = f"CASE WHEN {shown} THEN '{UPDATED}' ELSE '{deleted}' END"
            conditions.append(f"({shown} OR {was_shown})")
        elif not is_own:
            moved = f"{_sql(self.key, 'OLD')} {dialect.differs} {_sql(self.key, 'NEW')}"
            yield "OLD", kind, [moved, *_has_object(self.key, "OLD")]
        yield row, kind, conditions


@dataclass(frozen=True)
class Feed(TriggerDeclaration):
    """Declaration that changes of a model's rows are changes of an object of the API.

    `key`, `contact` and `rep` are columns, or SQL with `{row}`.
    """

    resource: str
    """A key of `crm.api.base.roles.PERMISSIONS`."""
    key: str = "id"
    """The object's id. If it isn't that of the row, the row is a part of the object."""
    contact: str = ""
    """Reps who see this contact see the object. Of an object with a rep: the contact that the rep sees by it."""
    rep: str = ""
    """The only user who sees the object, of those who see own ones alone."""
    ignores: tuple[str, ...] = ()
    """Columns that no client sees. Their changes are not recorded."""
    company: str = "company_id"
    condition: str = ""
    """A condition on the row, as in `{row}.decided_at IS NOT NULL`. Other rows are not recorded."""
    changes_company: bool = False
    """True if a row may move to another company. It is new there, and deleted in the former one."""
    also: tuple[Also, ...] = ()

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return how a migration writes the declaration: without defaults."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name) != one.default}
        resource = given.pop("resource")
        return f"{type(self).__module__}.{type(self).__qualname__}", [resource], given

    def sqlite_tables(self, model: type[models.Model]) -> set[str]:
        return {model._meta.db_table, TABLE}

    def sqlite_triggers(self, model: type[models.Model]) -> dict[str, str]:
        table, unseen = model._meta.db_table, self._unseen_columns(model)
        columns = [field.column for field in model._meta.concrete_fields if field.column not in unseen]
        differs = f"({' OR '.join(f'OLD.{name} IS NOT NEW.{name}' for name in columns)})"
        triggers = {}
        for event in EVENTS:
            conditions = ["crm_recorded()", *self._conditions(event), *([differs] if event == "UPDATE" else ())]
            triggers[f"feed_{table}_{event.lower()}"] = (
                f"AFTER {event} ON {table} WHEN {' AND '.join(conditions)} BEGIN {self._body(event, SQLITE)} END"
            )
        if _has_stamp(model):
            stamp = f"UPDATE {table} SET {STAMP} = {SQLITE.now} WHERE id = NEW.id;"  # noqa: S608  # the model's name
            triggers[f"stamp_{table}_update"] = (
                f"AFTER UPDATE ON {table} WHEN crm_recorded() AND {differs} BEGIN {stamp} END"
            )
        return triggers

    def operation(self, model: type[models.Model]) -> TriggerOperation:
        return CreateFeedTriggers(str(model._meta.model_name), self)

    def postgresql_statements(self, model: type[models.Model]) -> list[str]:
        """Return the statements. The trigger has no WHEN: it would be compiled anew for each statement."""
        table = model._meta.db_table
        bodies = {}
        for event in EVENTS:
            conditions = "".join(f" AND {each}" for each in self._conditions(event))
            bodies[event] = f"IF {RECORDED}{conditions} THEN {self._body(event, POSTGRESQL)} END IF;"
        same = " ".join(f"seen.{name} := OLD.{name};" for name in self._unseen_columns(model))
        statements = [
            f"CREATE OR REPLACE FUNCTION feed_{table}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
            f"DECLARE seen record;\n"
            f"BEGIN\n"
            f"    IF TG_OP = 'INSERT' THEN {bodies['INSERT']}\n"
            f"    ELSIF TG_OP = 'DELETE' THEN {bodies['DELETE']}\n"
            f"    ELSE seen := NEW; {same} IF seen IS DISTINCT FROM OLD THEN {bodies['UPDATE']} END IF;\n"
            f"    END IF;\n"
            f"    RETURN NULL;\n"
            f"END $$",
            f"CREATE OR REPLACE TRIGGER feed_{table} AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION feed_{table}()",
        ]
        if _has_stamp(model):
            statements += [
                f"CREATE OR REPLACE FUNCTION stamp_{table}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
                f"DECLARE seen record := NEW;\n"
                f"BEGIN\n"
                f"    IF {RECORDED} THEN {same}\n"
                f"    NEW.{STAMP} := CASE WHEN seen IS DISTINCT FROM OLD THEN {POSTGRESQL.now} ELSE OLD.{STAMP} END;\n"
                f"    END IF;\n"
                f"    RETURN NEW;\n"
                f"END $$",
                f"CREATE OR REPLACE TRIGGER stamp_{table} BEFORE UPDATE ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION stamp_{table}()",
            ]
        return statements

    def _unseen_columns(self, model: type[models.Model]) -> list[str]:
        """Return the ignored columns, and those that follow from others. Before a write these have no value yet."""
        ignored = {STAMP, *self.ignores}
        return [
            str(field.column) for field in model._meta.concrete_fields if field.generated or field.column in ignored
        ]

    def _conditions(self, event: str) -> list[str]:
        """Return the condition of all changes that the event makes."""
        if not self.condition:
            return []
        rows = ("OLD", "NEW") if event == "UPDATE" and self.changes_company else (EVENTS[event],)
        return [f"({' OR '.join(self.condition.format(row=row) for row in rows)})"]

    def _body(self, event: str, dialect: Dialect) -> str:
        own = [self._insert(self, *change, dialect) for change in self._changes(event, dialect)]
        others = [self._insert(also, *change, dialect) for also in self.also for change in also.changes(event, dialect)]
        return " ".join([*own, *others])

    def _changes(self, event: str, dialect: Dialect) -> Iterator[tuple[str, str, list[str]]]:
        """Yield the changes to record: the row with their values, SQL of the kind, and conditions."""
        row, is_own = EVENTS[event], self.key == "id"
        change = {"INSERT": CREATED, "UPDATE": UPDATED, "DELETE": DELETED}[event] if is_own else UPDATED
        kind = f"'{change}'"
        parts = [part for part in (self.key, self.contact, self.rep) if part not in ("", "id")]
        if event == "UPDATE" and parts:
            differences = [f"{_sql(part, 'OLD')} {dialect.differs} {_sql(part, 'NEW')}" for part in parts]
            moved = f"({' OR '.join(differences)})"
            # An object that loses a part has itself changed.
            yield "OLD", f"'{LEFT if is_own else UPDATED}'", [moved, *_has_object(self.key, "OLD")]
            if is_own:
                kind = f"CASE WHEN {moved} THEN '{MOVED}' ELSE '{UPDATED}' END"
        conditions = _has_object(self.key, row)
        if event == "UPDATE" and self.changes_company:
            moved = f"OLD.{self.company} {dialect.differs} NEW.{self.company}"
            yield "OLD", f"'{DELETED}'", [moved, self.condition.format(row="OLD")]
            conditions = [self.condition.format(row="NEW")]
        yield row, kind, conditions

    def _insert(self, of: "Feed | Also", row: str, kind: str, conditions: list[str], dialect: Dialect) -> str:
        reach = (self.contact, self.rep) if of is self else ("", "")
        parts = [_sql(part, row) for part in (of.key, *reach)]
        values = [f"{row}.{self.company}", dialect.xid, f"'{of.resource}'", *parts, kind, dialect.now]
        insert = dialect.insert_if if conditions else dialect.insert
        return insert.format(values=", ".join(values), condition=" AND ".join(conditions))


def _has_object(key: str, row: str) -> list[str]:
    """Return the condition that a row is a part of an object, unless it is the object itself."""
    return [] if key == "id" else [f"{_sql(key, row)} IS NOT NULL"]


def _has_stamp(model: type[models.Model]) -> bool:
    return any(field.column == STAMP for field in model._meta.concrete_fields)


def _sql(text: str, row: str) -> str:
    """Return the SQL of a column, of SQL with `{row}`, or of nothing."""
    if not text:
        return "NULL"
    return f"{row}.{text}" if text.isidentifier() else text.format(row=row)


class CreateFeedTriggers(TriggerOperation):
    """Create the feed triggers of one table. Frozen into migrations; running it twice is harmless."""

    def __init__(self, model_name: str, feed: Feed) -> None:
        self.model_name, self.feed = model_name, feed

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"model_name": self.model_name, "feed": self.feed}

    @property
    def key(self) -> tuple[str, ...]:
        return "feed", self.model_name

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return self.feed.postgresql_statements(get_model(self.model_name))

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        table = get_model(self.model_name)._meta.db_table
        return [f"DROP FUNCTION IF EXISTS {kind}_{table}() CASCADE" for kind in ("feed", "stamp")]

    def describe(self) -> str:
        return f"Create feed triggers for {self.model_name}"


class DropFeedTriggers(Undone, CreateFeedTriggers):
    """Drop the feed triggers of one table. Frozen into migrations."""

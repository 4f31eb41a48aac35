"""Triggers that write down who changed what in a table, by whichever path: instances, bulk, raw SQL, COPY.

A model says `audit = Audit()`, and its app's migration `RecordChanges(…)`, frozen into migrations. On PostgreSQL the
operation makes the triggers. Django changes a table of SQLite by making a new one and dropping the old one with its
triggers: there they are made anew after each `migrate`, from the models as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

TABLE = "audit_entries"
HIDDEN = "(hidden)"  # stands for the values of columns that nobody may read

# An entry has the columns that differ, each with its old and its new value; an empty text is a value, NULL is null.
RECORDER = f"""
CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    skipped text[] := TG_ARGV[0]::text[];
    hidden text[] := TG_ARGV[1]::text[];
    before jsonb := '{{}}';
    after jsonb := '{{}}';
    changes jsonb;
BEGIN
    IF current_setting('crm.recorded', true) = 'off' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        before := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := to_jsonb(NEW);
    END IF;
    SELECT jsonb_object_agg(
        name,
        CASE WHEN name = ANY (hidden) THEN '["{HIDDEN}", "{HIDDEN}"]'
             ELSE jsonb_build_array(before -> name, after -> name) END
    )
    INTO changes
    FROM jsonb_object_keys(before || after) name
    WHERE NOT name = ANY (skipped)
      AND coalesce(before -> name, 'null') IS DISTINCT FROM coalesce(after -> name, 'null');
    IF changes IS NOT NULL THEN
        INSERT INTO {TABLE} (company_id, actor_id, actor, table_name, row_id, action, changes, at)
        VALUES (
            coalesce(after ->> 'company_id', before ->> 'company_id')::bigint,
            nullif(current_setting('crm.actor_id', true), '')::bigint,
            coalesce(current_setting('crm.actor', true), ''),
            TG_TABLE_NAME,
            coalesce(after ->> 'id', before ->> 'id')::bigint,
            lower(TG_OP),
            changes,
            clock_timestamp()
        );
    END IF;
    RETURN NULL;
END
$$
"""  # noqa: S608  # the names are constants of this module


@dataclass(frozen=True)
class Audit:
    """Declares that changes of a model's rows are written down, with what of each column."""

    skips: tuple[str, ...] = ()
    """Columns whose changes say nothing, such as a time of the last change."""
    hides: tuple[str, ...] = ()
    """Columns of which is written down that they changed, and never from what to what."""

    def columns_skipped(self, model: type[models.Model]) -> list[str]:
        """Also the id, which an entry has a column of its own for, and what the database derives."""
        derived = [field.column for field in model._meta.concrete_fields if field.generated and field.column]
        return ["id", *self.skips, *derived]


class CreateRecorder(Operation):
    """Make the function that PostgreSQL's triggers call. Running it twice is harmless."""

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The function is no part of the models' state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(RECORDER, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("DROP FUNCTION IF EXISTS record_change()")

    def describe(self) -> str:
        return "Create the function that records changes"


class RecordChanges(Operation):
    """Make the triggers of one table. Running it twice is harmless."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, skips: Sequence[str] = (), hides: Sequence[str] = ()) -> None:
        self.model_name = model_name
        self.audit = Audit(skips=tuple(skips), hides=tuple(hides))

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        named = {"skips": list(self.audit.skips), "hides": list(self.audit.hides)}
        return type(self).__name__, [], {"model_name": self.model_name} | {k: v for k, v in named.items() if v}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Triggers are no part of the models' state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            model = to_state.apps.get_model(app_label, self.model_name)
            for statement in _postgresql_triggers(model, self.audit):
                schema_editor.execute(statement, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
            schema_editor.execute(f"DROP TRIGGER IF EXISTS record_row ON {table}")
            schema_editor.execute(f"DROP TRIGGER IF EXISTS record_update ON {table}")

    def describe(self) -> str:
        return f"Record who changes what in {self.model_name}"


def audited_models() -> list[tuple[type[models.Model], Audit]]:
    """Every model that declares an `audit`, with it."""
    declared = [(model, getattr(model, "audit", None)) for model in apps.get_models()]
    return [(model, audit) for model, audit in declared if isinstance(audit, Audit)]


def make_sqlite_triggers(*, using: str, **_signal: Any) -> None:
    """After `migrate`: the triggers of every audited table that stands."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        standing = set(connection.introspection.table_names(cursor))
        for model, audit in audited_models():
            if {model._meta.db_table, TABLE} <= standing:
                for statement in _sqlite_triggers(model, audit):
                    cursor.execute(statement)


def _postgresql_triggers(model: type[models.Model], audit: Audit) -> list[str]:
    table, columns = model._meta.db_table, [audit.columns_skipped(model), list(audit.hides)]
    arguments = ", ".join(f"'{{{','.join(names)}}}'" for names in columns)
    return [
        f"CREATE OR REPLACE TRIGGER record_row AFTER INSERT OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION record_change({arguments})",
        f"CREATE OR REPLACE TRIGGER record_update AFTER UPDATE ON {table}"
        f" FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION record_change({arguments})",
    ]


def _sqlite_triggers(model: type[models.Model], audit: Audit) -> list[str]:
    skipped = audit.columns_skipped(model)
    columns = [field.column for field in model._meta.concrete_fields if field.column not in skipped]
    statements = []
    for action, row in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
        before = "NULL" if action == "insert" else 'OLD."{0}"'
        after = "NULL" if action == "delete" else 'NEW."{0}"'
        pairs = " UNION ALL ".join(
            f"SELECT '{name}' AS name, {before.format(name)} AS before, {after.format(name)} AS after"
            for name in columns
        )
        hidden = ", ".join(f"'{name}'" for name in audit.hides)
        shown = (
            f"json(CASE WHEN name IN ({hidden}) THEN json_array('{HIDDEN}', '{HIDDEN}')"
            " ELSE json_array(before, after) END)"
        )
        trigger = f"record_{model._meta.db_table}_{action}"
        statements += [
            f"DROP TRIGGER IF EXISTS {trigger}",
            f"""
            CREATE TRIGGER {trigger} AFTER {action.upper()} ON {model._meta.db_table} WHEN crm_recorded()
            BEGIN
                INSERT INTO {TABLE} (company_id, actor_id, actor, table_name, row_id, action, changes, at)
                SELECT {row}.company_id, crm_actor_id(), crm_actor(), '{model._meta.db_table}', {row}.id, '{action}',
                       changes, strftime('%Y-%m-%d %H:%M:%f', 'now')
                FROM (
                    SELECT json_group_object(name, {shown}) AS changes, count(*) AS columns
                    FROM ({pairs}) WHERE before IS NOT after
                )
                WHERE columns > 0;
            END
            """,  # noqa: S608  # the names come from the models
        ]
    return statements

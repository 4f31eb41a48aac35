"""Audit triggers: they record the user and the changed columns of every write to a row.

A model declares `audit = Audit()`, and `makemigrations` writes `CreateAuditTriggers(…)`, which creates them on
PostgreSQL. On SQLite `crm.db.triggers.recreate_sqlite_triggers` creates them from the models after each `migrate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from crm.db.postgres_operations import GetModel, PostgresOperation, TriggerOperation, Undone
from crm.db.triggers import TriggerDeclaration

TABLE = "audit_entries"
TRIGGERS = ("record_insert", "record_update", "record_delete")
HIDDEN = "(hidden)"  # recorded in place of the values of hidden columns
MANY, MAX_COLUMNS = 50, 49  # of a statement's rows; of a table: a function of PostgreSQL takes 100 arguments

# An entry holds the columns that differ, each as [old, new]. An empty text differs from NULL.
# Updates, and deletions of some rows of a table, are recorded row by row: their triggers have a condition on the row.
# Only the table's owner can switch entries off: the application role must not.
AUDIT_FUNCTION = f"""
CREATE OR REPLACE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    skipped text[] := TG_ARGV[0]::text[];
    hidden text[] := TG_ARGV[1]::text[];
    kept text[] := coalesce(TG_ARGV[2], '{{}}')::text[];
    company text := coalesce(TG_ARGV[4], 'company_id');
    moved_to bigint := nullif(current_setting('crm.moved_to', true), '');
    before jsonb := to_jsonb(OLD);
    after jsonb := '{{}}';
    changes jsonb;
    has_changed boolean;
BEGIN
    IF current_setting('crm.recorded', true) = 'off' THEN
        IF pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP = 'DELETE' AND TG_ARGV[3] <> '' AND moved_to IS NOT NULL THEN
        -- Nobody but the owner can delete that entry: without one in this transaction, the deletion is recorded.
        IF EXISTS (
            SELECT FROM {TABLE}
            WHERE table_name = TG_ARGV[3] AND row_id = moved_to AND action = 'insert' AND at >= transaction_timestamp()
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        after := to_jsonb(NEW);
    END IF;
    SELECT jsonb_object_agg(
        name,
        CASE WHEN name = ANY (hidden) THEN '["{HIDDEN}", "{HIDDEN}"]'
             ELSE jsonb_build_array(before -> name, after -> name) END
    ), bool_or(differs)
    INTO changes, has_changed
    FROM jsonb_object_keys(before || after) name,
         LATERAL (SELECT coalesce(before -> name, 'null') IS DISTINCT FROM coalesce(after -> name, 'null')) _ (differs)
    WHERE NOT name = ANY (skipped) AND (differs OR name = ANY (kept));
    IF has_changed THEN
        INSERT INTO {TABLE} (company_id, actor_id, actor, table_name, row_id, action, changes, at)
        VALUES (
            coalesce(after ->> company, before ->> company)::bigint,
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

# All rows of a statement are recorded at once: an import inserts many, and its undo deletes them. Of many rows the
# columns are named in a statement made for the table: to look into the document of each row takes four times as long.
# Of few, planning it would. Values that are objects are added apart: inside them, nothing may be stripped.
AUDIT_ROWS_FUNCTION = f"""
CREATE OR REPLACE FUNCTION record_{{event}}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    skipped text[] := TG_ARGV[0]::text[];
    hidden text[] := TG_ARGV[1]::text[];
    kept text[] := coalesce(TG_ARGV[2], '{{{{}}}}')::text[];
    company text := coalesce(TG_ARGV[4], 'company_id');
    recorded text;
BEGIN
    IF current_setting('crm.recorded', true) = 'off' THEN
        IF pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
            RETURN NULL;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM {{rows}} OFFSET {MANY}) THEN
        SELECT format(
            'INSERT INTO {TABLE} (company_id, actor_id, actor, table_name, row_id, action, changes, at)'
            ' SELECT %I, $1, $2, $3, id, ''{{event}}'','
            ' jsonb_strip_nulls(jsonb_build_object(%s))%s, clock_timestamp()'
            ' FROM {{rows}} WHERE num_nonnulls(%s) > 0',
            company,
            string_agg(format('%L, %s', attname, pair), ', ') FILTER (WHERE NOT is_object),
            string_agg(
                format(' || CASE WHEN %2$s IS NULL THEN ''{{{{}}}}'' ELSE jsonb_build_object(%1$L, %2$s) END',
                       attname, pair), ''
            ) FILTER (WHERE is_object),
            string_agg(value, ', ')
        )
        INTO recorded
        FROM pg_attribute,
             LATERAL (
                SELECT is_object, format(CASE WHEN is_object THEN 'nullif(%I, ''null'')' ELSE '%I' END, attname)
                FROM (SELECT atttypid = 'jsonb'::regtype) AS _ (is_object)
             ) AS _ (is_object, value),
             LATERAL (
                SELECT format(
                    CASE WHEN attname = ANY (kept) THEN '%2$s' ELSE 'CASE WHEN %1$s IS NOT NULL THEN %2$s END' END,
                    value,
                    CASE WHEN attname = ANY (hidden) THEN '''["{HIDDEN}", "{HIDDEN}"]''::jsonb'
                         ELSE format('jsonb_build_array({{many_pair}})', value) END
                )
             ) AS __ (pair)
        WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped AND NOT attname = ANY (skipped)
        HAVING count(*) <= {MAX_COLUMNS};
    END IF;
    IF recorded IS NOT NULL THEN
        EXECUTE recorded USING
            nullif(current_setting('crm.actor_id', true), '')::bigint,
            coalesce(current_setting('crm.actor', true), ''),
            TG_TABLE_NAME;
        RETURN NULL;
    END IF;
    INSERT INTO {TABLE} (company_id, actor_id, actor, table_name, row_id, action, changes, at)
    SELECT
        (written.document ->> company)::bigint,
        nullif(current_setting('crm.actor_id', true), '')::bigint,
        coalesce(current_setting('crm.actor', true), ''),
        TG_TABLE_NAME,
        (written.document ->> 'id')::bigint,
        '{{event}}',
        entry.changes,
        clock_timestamp()
    FROM (SELECT to_jsonb(written_row) AS document FROM {{rows}} AS written_row) AS written, LATERAL (
        SELECT jsonb_object_agg(
            name,
            CASE WHEN name = ANY (hidden) THEN '["{HIDDEN}", "{HIDDEN}"]' ELSE jsonb_build_array({{pair}}) END
        ) AS changes
        FROM jsonb_each(written.document - skipped) AS _ (name, value)
        WHERE value <> 'null' OR name = ANY (kept)
        HAVING bool_or(value <> 'null')
    ) AS entry;
    RETURN NULL;
END
$$
"""  # noqa: S608  # the names are constants of this module
AUDIT_INSERT_FUNCTION = AUDIT_ROWS_FUNCTION.format(
    event="insert", rows="after", pair="NULL, value", many_pair="NULL, %s"
)
AUDIT_DELETE_FUNCTION = AUDIT_ROWS_FUNCTION.format(
    event="delete", rows="before", pair="value, NULL", many_pair="%s, NULL"
)


@dataclass(frozen=True)
class Audit(TriggerDeclaration):
    """Declaration that changes of a model's rows are recorded."""

    skips: tuple[str, ...] = ()
    """Columns that are not recorded, such as the time of the last change."""
    hides: tuple[str, ...] = ()
    """Columns whose changes are recorded without the values."""
    only: str = ""
    """A condition on the row, as in `{row}.kind = 'note'`: other rows are not recorded. Nor are inserts then."""
    inserts: bool = True
    """False: inserts are not recorded. The row names its author, and the entry of its first change its first values."""
    keeps: tuple[str, ...] = ()
    """Columns that every entry has, changed or not. By them, the entries of a person are found when the row is gone."""
    moves_to: str = ""
    """An audited table, to which rows may move: see `crm.db.audit_context.moving_to`."""
    company: str = "company_id"
    """The column with the company, to which the entries belong."""

    @property
    def records_inserts(self) -> bool:
        return self.inserts and not self.only

    def skipped_columns(self, model: type[models.Model]) -> list[str]:
        """Return `skips`, generated columns, and the id, for which entries have a separate column."""
        generated = [field.column for field in model._meta.concrete_fields if field.generated and field.column]
        return ["id", *self.skips, *generated]

    def sqlite_tables(self, model: type[models.Model]) -> set[str]:
        return {model._meta.db_table, TABLE}

    def sqlite_triggers(self, model: type[models.Model]) -> dict[str, str]:
        table, skipped = model._meta.db_table, self.skipped_columns(model)
        columns = [field.column for field in model._meta.concrete_fields if field.column not in skipped]
        hidden, kept = (", ".join(f"'{name}'" for name in names) for names in (self.hides, self.keeps))
        values = (
            f"json(CASE WHEN name IN ({hidden}) THEN json_array('{HIDDEN}', '{HIDDEN}')"
            " ELSE json_array(before, after) END)"
        )
        triggers = {}
        for action, row in (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")):
            if action == "insert" and not self.records_inserts:
                continue
            conditions = ["crm_recorded()", *([self.only.format(row="OLD")] if self.only else [])]
            if action == "delete" and self.moves_to:
                conditions.append("crm_moved_to() IS NULL")
            before = "NULL" if action == "insert" else 'OLD."{0}"'
            after = "NULL" if action == "delete" else 'NEW."{0}"'
            pairs = " UNION ALL ".join(
                f"SELECT '{name}' AS name, {before.format(name)} AS before, {after.format(name)} AS after"
                for name in columns
            )
            triggers[f"record_{table}_{action}"] = f"""
                AFTER {action.upper()} ON {table} WHEN {" AND ".join(conditions)}
                BEGIN
                    INSERT INTO {TABLE} (company_id, actor_id, actor, table_name, row_id, action, changes, at)
                    SELECT {row}.{self.company}, crm_actor_id(), crm_actor(), '{table}', {row}.id, '{action}',
                           changes, strftime('%Y-%m-%d %H:%M:%f', 'now')
                    FROM (
                        SELECT json_group_object(name, {values}) AS changes, sum(before IS NOT after) AS columns
                        FROM ({pairs}) WHERE before IS NOT after OR name IN ({kept})
                    )
                    WHERE columns > 0;
                END
            """  # noqa: S608  # the names come from the models
        return triggers

    def operation(self, model: type[models.Model]) -> TriggerOperation:
        return CreateAuditTriggers(str(model._meta.model_name), **vars(self))


class CreateAuditFunction(PostgresOperation):
    """Create the functions that the audit triggers call. Frozen into migrations; running it twice is harmless."""

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [AUDIT_FUNCTION, AUDIT_INSERT_FUNCTION, AUDIT_DELETE_FUNCTION]

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        return [f"DROP FUNCTION IF EXISTS record_{name}()" for name in ("change", "insert", "delete")]

    def describe(self) -> str:
        return "Create the audit functions"


class CreateAuditTriggers(TriggerOperation):
    """Create the audit triggers of one table. Frozen into migrations; running it twice is harmless."""

    def __init__(
        self,
        model_name: str,
        skips: Sequence[str] = (),
        hides: Sequence[str] = (),
        only: str = "",
        inserts: bool = True,
        keeps: Sequence[str] = (),
        moves_to: str = "",
        company: str = "company_id",
    ) -> None:
        self.model_name = model_name
        self.audit = Audit(tuple(skips), tuple(hides), only, inserts, tuple(keeps), moves_to, company)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        given = {field.name: getattr(self.audit, field.name) for field in fields(self.audit)}
        given = {field.name: given[field.name] for field in fields(self.audit) if given[field.name] != field.default}
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        return type(self).__name__, [], {"model_name": self.model_name} | values

    @property
    def key(self) -> tuple[str, ...]:
        return "audit", self.model_name

    def statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        model, audit = get_model(self.model_name), self.audit
        table, columns = model._meta.db_table, [audit.skipped_columns(model), audit.hides, audit.keeps]
        texts = [audit.moves_to, audit.company]
        arguments = ", ".join([*(f"'{{{','.join(names)}}}'" for names in columns), *(f"'{text}'" for text in texts)])
        condition = audit.only.format(row="OLD") or "true"
        of_update = f"{condition} AND OLD.* IS DISTINCT FROM NEW.*" if audit.only else "OLD.* IS DISTINCT FROM NEW.*"
        of_deletion = (
            f"FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION record_change({arguments})"
            if audit.only or audit.moves_to
            else f"REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION record_delete({arguments})"
        )
        statements = [
            f"CREATE OR REPLACE TRIGGER record_update AFTER UPDATE ON {table}"
            f" FOR EACH ROW WHEN ({of_update}) EXECUTE FUNCTION record_change({arguments})",
            f"CREATE OR REPLACE TRIGGER record_delete AFTER DELETE ON {table} {of_deletion}",
        ]
        if audit.records_inserts:
            statements.append(
                f"CREATE OR REPLACE TRIGGER record_insert AFTER INSERT ON {table}"
                f" REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION record_insert({arguments})"
            )
        return statements

    def reverse_statements(self, schema_editor: BaseDatabaseSchemaEditor, get_model: GetModel) -> Sequence[str]:
        table = get_model(self.model_name)._meta.db_table
        return [f"DROP TRIGGER IF EXISTS {name} ON {table}" for name in TRIGGERS]

    def describe(self) -> str:
        return f"Create audit triggers for {self.model_name}"


class DropAuditTriggers(Undone, CreateAuditTriggers):
    """Drop the audit triggers of one table. Frozen into migrations."""

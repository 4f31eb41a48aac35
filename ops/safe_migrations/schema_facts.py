"""Schema facts: constraints, columns with their uses, and tables of indexes. They decide a statement's work."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connections, models
from django.db.migrations.state import ProjectState

from crm.db.grammar import ast, enums
from ops.safe_migrations.column_uses import ColumnUse, Use, find_model_uses, find_uses, read_uses
from ops.safe_migrations.partitions import Partitions, read_partitions
from ops.safe_migrations.sql_capture import UNNAMED, connect_offline


class Reference(NamedTuple):
    """A foreign key on the server, by one of its columns. That of a partition is its parent's."""

    table: str
    column: str
    constraint: str
    referenced: str
    referenced_column: str


@dataclass
class SchemaFacts:
    """Facts before a statement: the server's, else those of the earlier migrations."""

    constraints: Container[str] = frozenset()
    """Names of existing constraints."""
    not_null_checks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The (table, column) of each check constraint `column IS NOT NULL`, valid or not yet, by its name."""
    never_null: set[tuple[str, str]] = field(default_factory=set)
    """The (table, column) of each valid one, and of each column that is NOT NULL."""
    required: set[tuple[str, str]] = field(default_factory=set)
    """The (table, column) of each column that is NOT NULL."""
    collations: dict[tuple[str, str], str] = field(default_factory=dict)
    """The collation of each (table, column) on the server whose collation isn't its type's."""
    domains: set[str] = field(default_factory=set)
    """Those with a constraint or a default, their own or of a domain below."""
    views: set[str] = field(default_factory=set)
    uses: set[ColumnUse] = field(default_factory=set)
    """Uses of columns, without those that only the models declare."""
    references: set[Reference] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    """Names of dropped constraints, indexes and other objects, which the models may still declare."""
    index_tables: dict[str, str] = field(default_factory=dict)
    """Table of each index on the server, or of SQL that ran before."""
    partitions: Partitions = field(default_factory=Partitions)
    state: ProjectState = field(default_factory=ProjectState)
    """The models."""

    def type_of(self, table: str, column: str) -> str:
        """Return the column's PostgreSQL type, or "" if no model has the column."""
        declared = self._field_of(table, column)
        return (declared and declared.db_type(connect_offline())) or ""

    def collation_of(self, table: str, column: str) -> str:
        """Return the column's collation, or "" if it is its type's."""
        declared = self._field_of(table, column)
        return self.collations.get((table, column), "") or getattr(declared, "db_collation", None) or ""

    def is_required(self, table: str, column: str) -> bool:
        """Return whether the column is NOT NULL."""
        declared = self._field_of(table, column)
        return (table, column) in self.required or (declared is not None and not declared.null)

    def uses_of(self, table: str, column: str) -> set[Use]:
        model = self._model_of(table)
        uses = self.uses | set(find_model_uses(model) if model else ())
        return {
            use.use
            for use in uses
            if (use.table, use.column) == (table, column) and (not use.owner or use.owner not in self.dropped)
        }

    def referenced_tables(self, table: str, *, column: str = "", constraint: str = "") -> set[str]:
        """Return the tables that the foreign keys of a table refer to: all keys, a column's, or one by its name."""
        found = {
            reference.referenced
            for reference in self.references
            if reference.table == table
            and column in ("", reference.column)
            and constraint in ("", reference.constraint)
        }
        model = None if constraint else self._model_of(table)
        for declared in model._meta.local_fields if model else ():
            if declared.remote_field and column in ("", declared.column):
                found.add(declared.remote_field.model._meta.db_table)
        return found - {table}

    def referring_tables(self, table: str, *, column: str = "") -> set[str]:
        """Return the tables whose foreign keys refer to a table, or to a column of it."""
        found = {
            reference.table
            for reference in self.references
            if reference.referenced == table and column in ("", reference.referenced_column)
        }
        for model in self.state.apps.get_models(include_auto_created=True):
            for declared in model._meta.local_fields:
                target = declared.target_field if isinstance(declared, models.ForeignKey) else None
                if target and target.model._meta.db_table == table and column in ("", target.column):
                    found.add(model._meta.db_table)
        return found - {table}

    def has_no_null(self, table: str, *, index: str) -> bool:
        """Return whether all columns of an index are known, and NOT NULL."""
        columns = {use.column for use in self.uses if (use.table, use.owner) == (table, index)}
        return bool(columns) and all((table, column) in self.never_null for column in columns)

    def _model_of(self, table: str) -> type[models.Model] | None:
        found = (m for m in self.state.apps.get_models(include_auto_created=True) if m._meta.db_table == table)
        return next(found, None)

    def _field_of(self, table: str, column: str) -> Any:
        model = self._model_of(table)
        return next((field for field in model._meta.local_fields if field.column == column), None) if model else None

    def table_of(self, index: str) -> str:
        """Return the index's table; empty for an unknown index."""
        if index.startswith(UNNAMED):
            return index.removeprefix(UNNAMED)
        if index in self.index_tables:
            return self.index_tables[index]
        for model in self.state.apps.get_models(include_auto_created=True):
            if any(declared.name == index for declared in model._meta.indexes):
                return model._meta.db_table
        return ""


def read_facts(alias: str) -> SchemaFacts:
    """Return the facts of the database as it is now."""
    facts, constraints = SchemaFacts(), set()
    with connections[alias].cursor() as cursor:
        cursor.execute(
            r"""
            SELECT k.conname, c.relname, k.convalidated,
                   substring(pg_get_constraintdef(k.oid) FROM '^CHECK \(\("?(\w+)"? IS NOT NULL\)\)')
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            WHERE k.connamespace = current_schema()::regnamespace
            """
        )
        for constraint, table, valid, column in cursor.fetchall():
            constraints.add(constraint)
            if column:
                facts.not_null_checks[constraint] = (table, column)
            if column and valid:
                facts.never_null.add((table, column))
        cursor.execute(
            """
            SELECT i.relname, t.relname
            FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
            WHERE i.relnamespace = current_schema()::regnamespace
            """
        )
        facts.index_tables = dict(cursor.fetchall())
        cursor.execute(
            """
            SELECT c.relname, a.attname, a.attnotnull, k.oid IS NULL,
                   CASE WHEN a.attcollation <> t.typcollation THEN o.collname END
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_collation o ON o.oid = a.attcollation
            LEFT JOIN pg_constraint k -- since PostgreSQL 18
                ON k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
            """
        )
        for table, column, required, valid, collation in cursor.fetchall():
            if required:
                facts.required.add((table, column))
            if required and valid:
                facts.never_null.add((table, column))
            if collation:
                facts.collations[table, column] = collation
        cursor.execute(
            """
            SELECT c.relname, a.attname, k.conname, r.relname, b.attname
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
            CROSS JOIN unnest(k.conkey, k.confkey) AS pair (own, referenced)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.own
            JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.referenced
            WHERE k.contype = 'f' AND k.conparentid = 0 AND c.relnamespace = current_schema()::regnamespace
            """
        )
        facts.references = {Reference(*row) for row in cursor.fetchall()}
        cursor.execute(
            """
            WITH RECURSIVE found AS (
                SELECT oid, typname FROM pg_type t
                WHERE typtype = 'd' AND (
                    typnotnull OR typdefault IS NOT NULL OR EXISTS (SELECT FROM pg_constraint WHERE contypid = t.oid))
                UNION SELECT t.oid, t.typname FROM pg_type t JOIN found ON t.typbasetype = found.oid
            ) SELECT typname FROM found
            """
        )
        facts.domains = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'v'")
        facts.views = {name for (name,) in cursor.fetchall()}
        facts.uses = read_uses(cursor)
        facts.partitions = read_partitions(cursor)
    facts.constraints = constraints
    return facts


def update_facts(statement: ast.Node | None, facts: SchemaFacts) -> None:
    """Record what a statement adds and drops."""
    added = set(find_uses(statement))
    facts.uses |= added
    facts.dropped -= {use.owner for use in added}
    facts.partitions.update(statement)
    match statement:
        case ast.IndexStmt(idxname=str(name), relation=table):
            facts.index_tables[name] = table.relname
        case ast.AlterTableStmt():
            _update_table(statement, facts)
        case ast.DropStmt(objects=objects):
            facts.dropped |= {part[-1].sval for part in objects if isinstance(part, tuple)}
        case ast.CreateDomainStmt(domainname=names, typeName=base, constraints=constraints):
            if constraints or base.names[-1].sval in facts.domains:
                facts.domains.add(names[-1].sval)
        case ast.AlterDomainStmt(typeName=names):
            facts.domains.add(names[-1].sval)
        case ast.ViewStmt(view=view):
            facts.views.add(view.relname)


def _update_table(statement: ast.AlterTableStmt, facts: SchemaFacts) -> None:
    table = statement.relation.relname
    for command in statement.cmds:
        subject: Any = command.def_
        match command.subtype.name:
            case "AT_AddColumn":
                kinds = {constraint.contype for constraint in subject.constraints or ()}
                for known in (facts.required, facts.never_null):
                    known.discard((table, subject.colname))  # of a column that had the name before
                    if enums.ConstrType.CONSTR_NOTNULL in kinds:
                        known.add((table, subject.colname))
            case "AT_SetNotNull":
                facts.required.add((table, command.name))
                facts.never_null.add((table, command.name))
            case "AT_DropNotNull":
                facts.required.discard((table, command.name))
                facts.never_null.discard((table, command.name))
            case "AT_AddConstraint":
                if (column := _read_not_null_check(subject)) and subject.conname:
                    facts.not_null_checks[subject.conname] = (table, column)
                    if not subject.skip_validation:
                        facts.never_null.add((table, column))
            case "AT_ValidateConstraint":
                if checked := facts.not_null_checks.get(command.name):
                    facts.never_null.add(checked)
            case "AT_DropConstraint":
                facts.never_null.discard(facts.not_null_checks.pop(command.name, ("", "")))
                facts.dropped.add(command.name)
            case "AT_DropColumn":
                facts.never_null.discard((table, command.name))
                facts.required.discard((table, command.name))
                facts.dropped.add(command.name)


def _read_not_null_check(constraint: ast.Constraint) -> str:
    if constraint.contype is enums.ConstrType.CONSTR_CHECK:
        match constraint.raw_expr:
            case ast.NullTest(
                nulltesttype=enums.NullTestType.IS_NOT_NULL, arg=ast.ColumnRef(fields=(ast.String(sval=name),))
            ):
                return name
    return ""

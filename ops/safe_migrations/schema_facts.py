"""Schema facts: constraints, column types and index tables that decide a statement's work."""

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from django.db import connections
from django.db.migrations.state import ProjectState
from pglast import ast
from pglast.enums import ConstrType, NullTestType

from ops.safe_migrations.sql_capture import UNNAMED, connect_offline


@dataclass
class SchemaFacts:
    """Facts before a statement: the server's, else those of the earlier migrations."""

    constraints: Container[str] = frozenset()
    """Names of existing constraints."""
    not_null_checks: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The (table, column) of each check constraint `column IS NOT NULL`, valid or not yet, by its name."""
    never_null: set[tuple[str, str]] = field(default_factory=set)
    """The (table, column) of each valid one."""
    index_tables: dict[str, str] = field(default_factory=dict)
    """Table of each index on the server."""
    state: ProjectState = field(default_factory=ProjectState)
    """The models."""

    def type_of(self, table: str, column: str) -> str:
        """Return the column's PostgreSQL type, or "" if no model has the column."""
        for model in self.state.apps.get_models(include_auto_created=True):
            if model._meta.db_table == table:
                connection = connect_offline()
                types = [field.db_type(connection) for field in model._meta.local_fields if field.column == column]
                return types[0] or "" if types else ""
        return ""

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
    """Return the constraints and indexes that exist now."""
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
    facts.constraints = constraints
    return facts


def update_facts(statement: ast.Node | None, facts: SchemaFacts) -> None:
    """Record the columns that a statement's constraints keep from being NULL."""
    if not isinstance(statement, ast.AlterTableStmt):
        return
    table = statement.relation.relname
    for command in statement.cmds:
        subject: Any = command.def_
        match command.subtype.name:
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
            case "AT_DropColumn":
                facts.never_null.discard((table, command.name))


def _read_not_null_check(constraint: ast.Constraint) -> str:
    if constraint.contype is ConstrType.CONSTR_CHECK:
        match constraint.raw_expr:
            case ast.NullTest(
                nulltesttype=NullTestType.IS_NOT_NULL, arg=ast.ColumnRef(fields=(ast.String(sval=name),))
            ):
                return name
    return ""

"""Uses of columns by checks, indexes and other objects, which decide the work of a type change."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, models

from crm.db.grammar import ast
from ops.safe_migrations.parser import read_statements, walk
from ops.safe_migrations.sql_capture import CapturingEditor


class Use(StrEnum):
    INDEX = "index"  # built again if the column's collation changes
    REBUILT_INDEX = "rebuilt index"  # partial or on expressions: built again by every type change
    CHECK = "check"  # checked again for every row
    FIXED = "fixed"  # by a generated column, view, policy or trigger: PostgreSQL refuses another type


class ColumnUse(NamedTuple):
    """The object `owner` uses a column; the owner is empty if it has no name yet."""

    table: str
    column: str
    use: Use
    owner: str


# Dependencies on columns. An index of a constraint depends on the constraint, and the constraint on the columns.
SERVER_USES = """
    SELECT t.relname, a.attname,
        CASE WHEN x.indpred IS NOT NULL OR x.indexprs IS NOT NULL THEN 'rebuilt index'
             WHEN x.indexrelid IS NOT NULL OR k.contype IN ('p', 'u', 'x') THEN 'index'
             WHEN k.contype = 'c' THEN 'check' ELSE 'fixed' END,
        coalesce(i.relname, k.conname, v.relname, p.polname, g.tgname, column_of.attname, '')
    FROM pg_depend d
    JOIN pg_class t ON t.oid = d.refobjid AND t.relnamespace = current_schema()::regnamespace
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid AND i.relkind IN ('i', 'I')
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_index x ON x.indexrelid IN (i.oid, CASE WHEN k.contype = 'x' THEN k.conindid END)
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_class v ON v.oid = r.ev_class
    LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
    LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
    LEFT JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND f.adnum <> d.refobjsubid
    LEFT JOIN pg_attribute column_of ON column_of.attrelid = f.adrelid AND column_of.attnum = f.adnum
    WHERE d.refclassid = 'pg_class'::regclass AND (
        i.oid IS NOT NULL OR k.contype IN ('c', 'p', 'u', 'x') OR r.oid IS NOT NULL OR p.oid IS NOT NULL
        OR g.oid IS NOT NULL OR f.oid IS NOT NULL OR d.classid IN ('pg_proc'::regclass, 'pg_publication_rel'::regclass))
"""


def read_uses(cursor: Any) -> set[ColumnUse]:
    """Return the uses on the server."""
    cursor.execute(SERVER_USES)
    return {ColumnUse(table, column, Use(use), owner) for table, column, use, owner in cursor.fetchall()}


def find_model_uses(model: type[models.Model]) -> Iterator[ColumnUse]:
    """Yield the uses that a model declares, as for a table that a migration has still to change."""
    editor = CapturingEditor(DEFAULT_DB_ALIAS)
    for declared in (*model._meta.constraints, *model._meta.indexes):
        yield from find_uses_in(str(declared.create_sql(model, editor) or ""))
    for field in model._meta.local_fields:
        if field.generated:
            definition, params = editor.column_sql(model, field)
            literals = str(definition) % (("''",) * len(params)) if params else definition
            yield from find_uses_in(f'ALTER TABLE "{model._meta.db_table}" ADD COLUMN "{field.column}" {literals}')


def find_uses_in(script: str) -> Iterator[ColumnUse]:
    for statement in read_statements([script], ()):
        yield from find_uses(statement)


def find_uses(statement: ast.Node | None) -> Iterator[ColumnUse]:
    """Yield the uses by the object that a statement adds to a table. Those by a new view are not known."""
    match statement:
        case ast.IndexStmt(relation=table, indexParams=elements, whereClause=condition, idxname=name):
            columns = _find_columns(elements, statement.indexIncludingParams, condition)
            yield from _uses(table, columns, _kind_of_index(elements, condition), name)
        case ast.CreatePolicyStmt(table=table, policy_name=name):
            yield from _uses(table, _find_columns(statement.qual, statement.with_check), Use.FIXED, name)
        case ast.CreateTrigStmt(relation=table, trigname=name):
            columns = _read_names(statement.columns) | _find_columns(statement.whenClause)
            yield from _uses(table, columns, Use.FIXED, name)
        case ast.AlterTableStmt(relation=table):
            for command in statement.cmds:
                subject: Any = command.def_
                if isinstance(subject, ast.ColumnDef):
                    for constraint in subject.constraints or ():
                        yield from _find_uses_of_constraint(table, constraint, subject.colname)
                elif isinstance(subject, ast.Constraint):
                    yield from _find_uses_of_constraint(table, subject, "")


def _find_uses_of_constraint(table: ast.RangeVar, constraint: ast.Constraint, column: str) -> Iterator[ColumnUse]:
    name, expression = constraint.conname, constraint.raw_expr
    match constraint.contype.name.removeprefix("CONSTR_"):
        case "CHECK":
            yield from _uses(table, _find_columns(expression), Use.CHECK, name)
        case "GENERATED":
            yield from _uses(table, _find_columns(expression), Use.FIXED, column)
        case "UNIQUE" | "PRIMARY":
            yield from _uses(table, _read_names(constraint.keys) or {column}, Use.INDEX, name)
        case "EXCLUSION":
            elements, condition = tuple(element for element, _ in constraint.exclusions), constraint.where_clause
            yield from _uses(table, _find_columns(elements, condition), _kind_of_index(elements, condition), name)


def _kind_of_index(elements: Any, condition: Any) -> Use:
    special = condition is not None or any(element.expr for element in elements)
    return Use.REBUILT_INDEX if special else Use.INDEX


def _uses(table: ast.RangeVar, columns: set[str], use: Use, owner: str | None) -> Iterator[ColumnUse]:
    for column in columns:
        yield ColumnUse(table.relname, column, use, owner or "")


def _read_names(names: Any) -> set[str]:
    return {name.sval for name in names or ()}


def _find_columns(*expressions: Any) -> set[str]:
    columns = set()
    for node in walk(expressions):
        match node:
            case ast.ColumnRef(fields=(*_, ast.String(sval=name))) | ast.IndexElem(name=str(name)):
                columns.add(name)
    return columns

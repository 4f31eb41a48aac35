"""Classification of parsed statements: the keys of the rules that apply, each with its table."""
# ruff: noqa: ARG001  # all readers have one signature

from collections.abc import Callable, Iterator
from typing import Any

from crm.db.grammar import ast, enums
from ops.safe_migrations import functions
from ops.safe_migrations.alter_table import Match, classify_command
from ops.safe_migrations.lock_levels import Lock
from ops.safe_migrations.parser import walk
from ops.safe_migrations.rules import HARMLESS_SETTINGS
from ops.safe_migrations.schema_facts import SchemaFacts


def classify(statement: ast.Node, facts: SchemaFacts) -> Iterator[Match]:
    """Yield the rules for a statement. Without a reader, the rule's key is the node's name."""
    reader = READERS.get(type(statement))
    if reader:
        yield from reader(statement, facts)
    else:
        tables = getattr(statement, "relations", None)
        for table in tables or [getattr(statement, "relation", None) or getattr(statement, "table", None)]:
            yield type(statement).__name__, table.relname if table else ""


def _index(node: ast.IndexStmt, facts: SchemaFacts) -> Iterator[Match]:
    table = node.relation.relname
    if table in facts.partitions.partitioned and (node.concurrent or not node.relation.inh):
        yield f"IndexStmt partitioned{' concurrent' if node.concurrent else ''}", table
        return
    variant = " concurrent" if node.concurrent else " unique" if node.unique else ""
    for built in facts.partitions.with_parts(table):
        yield f"IndexStmt{variant}", built


def _reindex(node: ast.ReindexStmt, facts: SchemaFacts) -> Iterator[Match]:
    kind = node.kind.name.removeprefix("REINDEX_OBJECT_")
    name = node.relation.relname if node.relation else ""
    variant = "concurrent" if _option(node.params, "concurrently") else kind if name else "SCHEMA"
    yield f"ReindexStmt {variant}", facts.table_of(name) if kind == "INDEX" else name


def _drop(node: ast.DropStmt, facts: SchemaFacts) -> Iterator[Match]:
    kind = node.removeType.name.removeprefix("OBJECT_")
    if node.behavior is enums.DropBehavior.DROP_CASCADE and kind not in ("TABLE", "INDEX", "POLICY", "TRIGGER"):
        yield "DropStmt CASCADE", ""
        return
    for names in node.objects:
        key = f"DropStmt {kind}"
        if kind in ("TABLE", "VIEW", "MATVIEW"):
            name = names[-1].sval
            yield key, name
            for referenced in facts.referenced_tables(name) if kind == "TABLE" else ():
                yield "dropped REFERENCES", referenced
            if node.behavior is enums.DropBehavior.DROP_CASCADE:
                for referring in facts.referring_tables(name):
                    yield "dropped REFERENCES", referring
            if parent := facts.partitions.parents.get(name):
                for table in [parent, *facts.partitions.default_of(parent)]:
                    if table != name:
                        yield "dropped PARTITION", table
        elif kind in ("POLICY", "TRIGGER", "RULE"):
            yield key, names[-2].sval
        elif kind == "INDEX":
            # The first name may be a captured index's table.
            table = facts.table_of(names[0].sval) or facts.table_of(names[-1].sval)
            if node.concurrent:
                yield f"{key}{' partitioned' if table in facts.partitions.partitioned else ''} concurrent", table
            else:
                for locked in facts.partitions.with_parts(table):
                    yield key, locked
        else:
            yield key, ""


def _truncate(node: ast.TruncateStmt, facts: SchemaFacts) -> Iterator[Match]:
    for table in node.relations:
        yield "TruncateStmt", table.relname
    if node.behavior is enums.DropBehavior.DROP_CASCADE:
        yield "TruncateStmt CASCADE", ""


def _rename(node: ast.RenameStmt, facts: SchemaFacts) -> Iterator[Match]:
    kind = node.renameType.name.removeprefix("OBJECT_")
    name = node.relation.relname if node.relation else ""
    yield f"RenameStmt {kind}", facts.table_of(name) if kind == "INDEX" else name


def _set_schema(node: ast.AlterObjectSchemaStmt, facts: SchemaFacts) -> Iterator[Match]:
    kind = node.objectType.name.removeprefix("OBJECT_")
    yield f"AlterObjectSchemaStmt {kind}", node.relation.relname if node.relation else ""


def _vacuum(node: ast.VacuumStmt, facts: SchemaFacts) -> Iterator[Match]:
    kind = " full" if _option(node.options, "full") else "" if node.is_vacuumcmd else " analyze"
    key = f"VacuumStmt{kind}"
    for table in node.rels or [None]:
        yield key, table.relation.relname if table else ""


def _refresh(node: ast.RefreshMatViewStmt, facts: SchemaFacts) -> Iterator[Match]:
    yield f"RefreshMatViewStmt{' concurrent' if node.concurrent else ''}", node.relation.relname


def _create_schema(node: ast.CreateSchemaStmt, facts: SchemaFacts) -> Iterator[Match]:
    yield "CreateSchemaStmt", ""
    for element in node.schemaElts or ():
        yield from classify(element, facts)


def _create_table(node: ast.CreateStmt, facts: SchemaFacts) -> Iterator[Match]:
    yield "CreateStmt", node.relation.relname
    for parent in node.inhRelations or ():
        yield f"CreateStmt {'PARTITION OF' if node.partbound else 'INHERITS'}", parent.relname
        if node.partbound:
            for default in facts.partitions.default_of(parent.relname):
                yield "added PARTITION", default
            for referenced in facts.referenced_tables(parent.relname):
                yield "CreateStmt REFERENCES", referenced
    for below in walk((node.tableElts, node.constraints)):
        if isinstance(below, ast.Constraint) and below.contype is enums.ConstrType.CONSTR_FOREIGN:
            yield "CreateStmt REFERENCES", below.pktable.relname


def _view(node: ast.ViewStmt, facts: SchemaFacts) -> Iterator[Match]:
    yield ("ViewStmt replace", node.view.relname) if node.replace else ("ViewStmt", "")


def _domain(node: ast.AlterDomainStmt, facts: SchemaFacts) -> Iterator[Match]:
    constraint = node.def_
    if node.subtype == "O":
        yield "AlterDomainStmt SET NOT NULL", ""
    elif node.subtype == "V":
        yield "AlterDomainStmt VALIDATE CONSTRAINT", ""
    elif node.subtype == "C" and not constraint.skip_validation:
        yield "AlterDomainStmt ADD CONSTRAINT", ""
    else:
        yield "AlterDomainStmt", ""


def _enum(node: ast.AlterEnumStmt, facts: SchemaFacts) -> Iterator[Match]:
    yield f"AlterEnumStmt{' RENAME VALUE' if node.oldVal else ''}", ""


def _create_statistics(node: ast.CreateStatsStmt, facts: SchemaFacts) -> Iterator[Match]:
    for table in node.relations:
        yield "CreateStatsStmt", table.relname
        yield "statistics", table.relname


def _lock(node: ast.LockStmt, facts: SchemaFacts) -> Iterator[Match]:
    for table in node.relations:
        yield f"LockStmt {list(Lock)[node.mode - 1]}", _find_written(table, facts)


def _set(node: ast.VariableSetStmt, facts: SchemaFacts) -> Iterator[Match]:
    if node.name == "lock_timeout" or node.kind is enums.VariableSetKind.VAR_RESET_ALL:
        yield "VariableSetStmt lock_timeout", ""
    else:
        name = (node.name or "").lower()
        yield ("VariableSetStmt" if name in HARMLESS_SETTINGS or name.startswith("crm.") else "unreadable"), ""


def _query(node: ast.Node, facts: SchemaFacts) -> Iterator[Match]:
    """Classify a query, the statements in its WITH clause and its functions."""
    if not functions.find_functions(node) <= functions.HARMLESS:
        yield "unreadable", ""
    for below in walk(node):
        match below:
            case ast.SelectStmt(lockingClause=tuple()):
                for table in walk((below.fromClause,)):
                    if isinstance(table, ast.RangeVar):
                        yield "SelectStmt FOR UPDATE", _find_written(table, facts)
            case ast.InsertStmt():
                yield _insert(below), _find_written(below.relation, facts)
            case ast.UpdateStmt() | ast.DeleteStmt() | ast.MergeStmt():
                yield type(below).__name__, _find_written(below.relation, facts)
            case ast.CopyStmt(is_program=True) | ast.ExecuteStmt():
                yield "unreadable", ""
            case ast.CopyStmt(is_from=True):
                yield "CopyStmt FROM", _find_written(below.relation, facts)


def _find_written(table: ast.RangeVar, facts: SchemaFacts) -> str:
    """Return the table, or an empty text for a view: the tables below it are not known."""
    return "" if table.relname in facts.views or table.relname.startswith("pg_") else table.relname


def _insert(node: ast.InsertStmt) -> str:
    conflict, source = node.onConflictClause, node.selectStmt
    if conflict and conflict.action is enums.OnConflictAction.ONCONFLICT_UPDATE:
        return "InsertStmt ON CONFLICT UPDATE"
    return "InsertStmt SELECT" if source and not source.valuesLists else "InsertStmt"


def _alter_table(node: ast.AlterTableStmt, facts: SchemaFacts) -> Iterator[Match]:
    name = node.relation.relname
    table = facts.table_of(name) if node.objtype.name == "OBJECT_INDEX" else name
    for command in node.cmds:
        if table != name and command.subtype.name == "AT_AttachPartition":
            yield "AT_AttachPartition index", facts.table_of(command.def_.name.relname)
        else:
            yield from classify_command(command, table, facts)


def _option(options: Any, name: str) -> bool:
    """Return whether an option of a statement such as VACUUM (FULL) is on."""
    for option in options or ():
        if option.defname == name:
            value = (option.arg and getattr(option.arg, "sval", None)) or getattr(option.arg, "ival", "on")
            return str(value).lower() not in ("false", "off", "0")
    return False


READERS: dict[type[ast.Node], Callable[[Any, SchemaFacts], Iterator[Match]]] = {
    ast.AlterDomainStmt: _domain,
    ast.AlterEnumStmt: _enum,
    ast.AlterObjectSchemaStmt: _set_schema,
    ast.AlterTableStmt: _alter_table,
    ast.CopyStmt: _query,
    ast.CreateSchemaStmt: _create_schema,
    ast.CreateStatsStmt: _create_statistics,
    ast.CreateStmt: _create_table,
    ast.CreateTableAsStmt: _query,
    ast.DeleteStmt: _query,
    ast.DropStmt: _drop,
    ast.IndexStmt: _index,
    ast.InsertStmt: _query,
    ast.LockStmt: _lock,
    ast.MergeStmt: _query,
    ast.RefreshMatViewStmt: _refresh,
    ast.ReindexStmt: _reindex,
    ast.RenameStmt: _rename,
    ast.SelectStmt: _query,
    ast.TruncateStmt: _truncate,
    ast.UpdateStmt: _query,
    ast.VacuumStmt: _vacuum,
    ast.VariableSetStmt: _set,
    ast.ViewStmt: _view,
}

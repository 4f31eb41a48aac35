"""Classification of ALTER TABLE commands."""
# ruff: noqa: ARG001  # all readers have one signature

from collections.abc import Callable, Iterator

from crm.db.grammar import ast, enums
from ops.safe_migrations.column_types import keeps_values, read_collation
from ops.safe_migrations.column_uses import Use
from ops.safe_migrations.functions import is_volatile
from ops.safe_migrations.schema_facts import SchemaFacts

Match = tuple[str, str]
"""A rule's key and a table; the table is empty if it is not known."""

SERIAL_TYPES = {"bigserial", "serial", "serial2", "serial4", "serial8", "smallserial"}
# Storage parameters that PostgreSQL changes under SHARE UPDATE EXCLUSIVE, by the beginning of their names.
SHARED_OPTIONS = (
    "autovacuum_",
    "deduplicate_items",
    "fillfactor",
    "log_autovacuum_",
    "parallel_workers",
    "toast_",
    "vacuum_",
)


def classify_command(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    """Yield the rules of one command. Without a reader, the rule's key is the command's subtype."""
    name = command.subtype.name
    if reader := COMMANDS.get(name):
        yield from reader(command, table, facts)
    else:
        yield name, table


def _add_column(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    column = command.def_
    type_name = column.typeName.names[-1].sval
    constraints = {
        constraint.contype.name.removeprefix("CONSTR_"): constraint for constraint in column.constraints or ()
    }
    generated, default = constraints.get("GENERATED"), constraints.get("DEFAULT")
    if "FOREIGN" in constraints:
        yield "AT_AddConstraint REFERENCES", constraints["FOREIGN"].pktable.relname
    variants = {
        "stored": generated and generated.generated_kind == "s",
        "identity": "IDENTITY" in constraints,
        "serial": type_name in SERIAL_TYPES,
        "domain": type_name in facts.domains,
        "json": type_name == "json",
        "volatile default": default and is_volatile(default.raw_expr),
        "unique": constraints.keys() & {"UNIQUE", "PRIMARY"},
        "check": "CHECK" in constraints,
        "default REFERENCES": "FOREIGN" in constraints and default and not _is_null(default.raw_expr),
    }
    filled = "IDENTITY" in constraints or generated or type_name in SERIAL_TYPES
    if "NOTNULL" in constraints and not filled and (not default or _is_null(default.raw_expr)):
        variants["required"] = True
    for key in [f"AT_AddColumn {variant}" for variant, applies in variants.items() if applies] or ["AT_AddColumn"]:
        yield key, table


def _is_null(expression: ast.Node) -> bool:
    if isinstance(expression, ast.TypeCast):
        return _is_null(expression.arg)
    return isinstance(expression, ast.A_Const) and bool(expression.isnull)


def _add_constraint(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    constraint = command.def_
    variant = " NOT VALID" if constraint.skip_validation else " USING INDEX" if constraint.indexname else ""
    if constraint.indexname and constraint.contype is enums.ConstrType.CONSTR_PRIMARY:
        variant += " proven" if facts.has_no_null(table, index=constraint.indexname) else ""
    yield f"AT_AddConstraint {constraint.contype.name.removeprefix('CONSTR_')}{variant}", table
    if constraint.pktable:
        yield "AT_AddConstraint REFERENCES", constraint.pktable.relname


def _set_not_null(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    if (table, command.name) in facts.never_null:
        yield "AT_SetNotNull proven", table
    else:
        yield "AT_SetNotNull", table
        yield "required column", table


def _set_default(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    yield "AT_ColumnDefault", table
    if command.def_ is None and facts.is_required(table, command.name):
        yield "required column", table


def _alter_type(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    uses = facts.uses_of(table, command.name)
    if Use.FIXED in uses:
        yield "AT_AlterColumnType fixed", table
        return
    collated = read_collation(command.def_) != facts.collation_of(table, command.name)
    kept = keeps_values(facts.type_of(table, command.name), command.def_, command.name)
    if not kept:
        yield "AT_AlterColumnType", table
    elif Use.REBUILT_INDEX in uses or (collated and Use.INDEX in uses):
        yield "AT_AlterColumnType rebuilt index", table
    elif Use.CHECK in uses:
        yield "AT_AlterColumnType check", table
    else:
        yield "AT_AlterColumnType widened", table
    yield "statistics", table
    for referenced in facts.referenced_tables(table, column=command.name):
        yield "dropped REFERENCES", referenced  # the key is made again
    for referring in facts.referring_tables(table, column=command.name):
        yield ("dropped REFERENCES" if kept else "AT_AlterColumnType referring"), referring


def _set_options(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    options = command.def_
    shared = all(option.defname.startswith(SHARED_OPTIONS) for option in options)
    yield (command.subtype.name if shared else "unreadable"), table


def _alter_constraint(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    change = command.def_
    yield f"AT_AlterConstraint{' enforced' if change.alterEnforceability and change.is_enforced else ''}", table


def _drop_constraint(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    yield "AT_DropConstraint", table
    if command.behavior is enums.DropBehavior.DROP_CASCADE:
        yield "DropStmt CASCADE", ""
    for referenced in facts.referenced_tables(table, constraint=command.name):
        yield "dropped REFERENCES", referenced


def _drop_column(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    yield "AT_DropColumn", table
    for referenced in facts.referenced_tables(table, column=command.name):
        yield "dropped REFERENCES", referenced
    if command.behavior is enums.DropBehavior.DROP_CASCADE:
        for referring in facts.referring_tables(table, column=command.name):
            yield "dropped REFERENCES", referring


def _partition(command: ast.AlterTableCmd, table: str, facts: SchemaFacts) -> Iterator[Match]:
    partition, default = command.def_, facts.partitions.default_of(table)
    if partition.concurrent:
        yield f"AT_DetachPartition{' default' if default else ''} concurrent", table
        return
    yield command.subtype.name, table
    yield f"{command.subtype.name} partition", partition.name.relname
    change = "added" if command.subtype.name == "AT_AttachPartition" else "dropped"
    for other in default:
        if other != partition.name.relname:
            yield f"{change} PARTITION", other
    for referenced in facts.referenced_tables(table):
        yield "AT_AddConstraint REFERENCES", referenced


COMMANDS: dict[str, Callable[[ast.AlterTableCmd, str, SchemaFacts], Iterator[Match]]] = {
    "AT_AddColumn": _add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AlterColumnType": _alter_type,
    "AT_AlterConstraint": _alter_constraint,
    "AT_AttachPartition": _partition,
    "AT_ColumnDefault": _set_default,
    "AT_DetachPartition": _partition,
    "AT_DropColumn": _drop_column,
    "AT_DropConstraint": _drop_constraint,
    "AT_ResetRelOptions": _set_options,
    "AT_SetNotNull": _set_not_null,
    "AT_SetRelOptions": _set_options,
}

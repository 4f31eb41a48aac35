"""Effects of a statement on the tables that exist before it."""

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from ops.safe_migrations.lock_levels import Effect
from ops.safe_migrations.parser import UNKNOWN
from ops.safe_migrations.rules import HARMLESS, RULES
from ops.safe_migrations.schema_facts import SchemaFacts
from ops.safe_migrations.statements import classify


def find_effects(statement: ast.Node | None, facts: SchemaFacts) -> Iterator[Effect]:
    """Yield the effects of a parsed statement; None means one that can't be parsed."""
    for key, table in classify(statement, facts) if statement else [("unreadable", "")]:
        if key in HARMLESS:
            continue
        rule = RULES.get(key)
        if rule is None:
            rule, table = RULES["unreadable"], ""
        yield Effect("" if table == UNKNOWN else table, rule.lock, rule.work, rule.recommendation)


def find_created_table(statement: ast.Node | None) -> str:
    """Return the table that a statement creates, or an empty text.

    IF NOT EXISTS, a temporary table or another schema may leave a large table of the same name.
    """
    match statement:
        case (
            ast.CreateStmt(if_not_exists=False, relation=table)
            | ast.CreateTableAsStmt(
                if_not_exists=False, objtype=ObjectType.OBJECT_TABLE, into=ast.IntoClause(rel=table)
            )
            | ast.SelectStmt(intoClause=ast.IntoClause(rel=table))
        ) if not table.schemaname and table.relpersistence != "t":
            return table.relname
    return ""

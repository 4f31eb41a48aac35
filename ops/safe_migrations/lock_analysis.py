"""Effects of a statement on the tables that exist before it."""

from collections.abc import Iterator

from pglast import ast
from pglast.enums import ObjectType

from ops.safe_migrations.lock_levels import Effect
from ops.safe_migrations.rules import HARMLESS, RULES
from ops.safe_migrations.schema_facts import SchemaFacts
from ops.safe_migrations.statements import classify


def find_effects(statement: ast.Node | None, facts: SchemaFacts) -> Iterator[Effect]:
    """Yield the effects of a parsed statement; None stands for one that can't be parsed."""
    for key, table in classify(statement, facts) if statement else [("unreadable", "")]:
        if key in HARMLESS:
            continue
        rule = RULES.get(key)
        if rule is None:
            rule, table = RULES["unreadable"], ""
        yield Effect(table, rule.lock, rule.work, rule.recommendation)


def find_created_table(statement: ast.Node | None) -> str:
    """Return the table that a statement creates, or an empty text.

    IF NOT EXISTS creates none for sure: the table may exist and be large.
    """
    match statement:
        case ast.CreateStmt(if_not_exists=False):
            return statement.relation.relname
        case ast.CreateTableAsStmt(if_not_exists=False, objtype=ObjectType.OBJECT_TABLE):
            return statement.into.rel.relname
        case ast.SelectStmt(intoClause=ast.IntoClause()):
            return statement.intoClause.rel.relname
    return ""

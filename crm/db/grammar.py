"""PostgreSQL's own grammar. No other module knows the parser: it could be replaced here."""

from typing import Any

from pglast import ast, enums, parse_plpgsql, parse_sql
from pglast.keywords import RESERVED_KEYWORDS, TYPE_FUNC_NAME_KEYWORDS
from pglast.parser import ParseError
from pglast.stream import RawStream

__all__ = ["NO_NAMES", "ast", "enums", "parse_block", "parse_expression", "parse_statements", "write_sql"]

NO_NAMES = RESERVED_KEYWORDS | TYPE_FUNC_NAME_KEYWORDS
"""Keywords that a table or column can't be called without quotes."""


def parse_statements(script: str) -> list[Any] | None:
    """Return the statements of a script, or None if it isn't PostgreSQL's SQL."""
    try:
        return [raw.stmt for raw in parse_sql(script)]
    except ParseError:
        return None


def parse_expression(text: str) -> Any:
    """Return an expression, or None for other text."""
    match parse_statements(f"SELECT {text}"):
        case [ast.SelectStmt(targetList=(target,))]:
            return target.val
    return None


def parse_block(body: str) -> Any:
    """Return the parts of a PL/pgSQL block as dictionaries and lists, or None for other text."""
    quoted = body.replace("'", "''")
    try:
        [block] = parse_plpgsql(f"DO '{quoted}'")
    except ParseError:
        return None
    return block


def write_sql(node: Any) -> str:
    """Return a node as SQL, in one wording."""
    return str(RawStream()(node))

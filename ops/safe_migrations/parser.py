"""Parsing of SQL and PL/pgSQL by PostgreSQL's own grammar."""

import re
from collections.abc import Container, Iterable, Iterator
from typing import Any

from crm.db.grammar import ast, enums, parse_block, parse_expression, parse_statements

UNKNOWN = "?"
"""A name that only a running block knows."""

# In the text for format(): a value that may be any SQL, such as that of %s.
OPEN_PLACEHOLDER = re.compile(r"%(?![IL])")

# PL/pgSQL statements that run only the SQL written in them.
STATIC_NODES = {
    "PLpgSQL_stmt_assert", "PLpgSQL_stmt_assign", "PLpgSQL_stmt_block", "PLpgSQL_stmt_call", "PLpgSQL_stmt_case",
    "PLpgSQL_stmt_execsql", "PLpgSQL_stmt_exit", "PLpgSQL_stmt_fori", "PLpgSQL_stmt_foreach_a", "PLpgSQL_stmt_fors",
    "PLpgSQL_stmt_getdiag", "PLpgSQL_stmt_if", "PLpgSQL_stmt_loop", "PLpgSQL_stmt_perform", "PLpgSQL_stmt_raise",
    "PLpgSQL_stmt_return", "PLpgSQL_stmt_while",
}  # fmt: skip


def read_statements(scripts: Iterable[str], constraints: Container[str]) -> Iterator[ast.Node | None]:
    """Parse each script into its statements, those inside DO blocks included. None means unreadable text.

    A block's `IF NOT EXISTS (SELECT … FROM pg_constraint WHERE conname = 'x')` is skipped if `constraints` holds x.
    """
    for script in scripts:
        statements = parse_statements(script)
        for statement in [None] if statements is None else statements:
            if isinstance(statement, ast.DoStmt):
                yield from _read_block(statement, constraints)
            else:
                yield statement


def runs_in_transaction(script: str) -> bool:
    """Return whether PostgreSQL runs a script, sent as one string, in a transaction of its own."""
    match parse_statements(script):
        case [statement]:
            return isinstance(statement, ast.DoStmt)
    return True


def walk(node: Any) -> Iterator[ast.Node]:
    """Yield the node and every node below it."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from walk(getattr(node, name))


def _read_block(do: ast.DoStmt, constraints: Container[str]) -> Iterator[ast.Node | None]:
    options = {option.defname: option.arg for option in do.args}
    language = options.get("language")
    block = parse_block(options["as"].sval) if language is None or language.sval == "plpgsql" else None
    if block is None:
        yield None
    else:
        yield from _read_block_node(block, constraints)


def _read_block_node(node: Any, constraints: Container[str]) -> Iterator[ast.Node | None]:
    if isinstance(node, list):
        for part in node:
            yield from _read_block_node(part, constraints)
        return
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "PLpgSQL_expr":
            yield from _read_expression(value["query"], value["parseMode"])
        elif name == "PLpgSQL_stmt_dynexecute":
            yield from _read_dynamic(value["query"]["PLpgSQL_expr"]["query"], constraints)
            yield from _read_block_node(value.get("params"), constraints)
        elif name == "PLpgSQL_stmt_if" and _is_skipped(value["cond"]["PLpgSQL_expr"]["query"], constraints):
            yield from _read_block_node([value.get("elsif_list"), value.get("else_body")], constraints)
        elif name.startswith("PLpgSQL_stmt_") and name not in STATIC_NODES:
            yield None
        else:
            yield from _read_block_node(value, constraints)


def _read_expression(text: str, mode: int) -> Iterator[ast.Node | None]:
    if mode > 2:  # an assignment, which the SQL grammar does not know
        text = re.split(":?=", text, maxsplit=1)[1]
    yield from read_statements([f"SELECT {text}" if mode else text], ())


def _read_dynamic(text: str, constraints: Container[str]) -> Iterator[ast.Node | None]:
    """Read the statement that EXECUTE gets as a constant, or as format() of a constant."""
    value = parse_expression(text)
    match value:
        case ast.A_Const(val=ast.String(sval=statement)):
            pass
        case ast.FuncCall(
            funcname=(ast.String(sval="format"),), args=(ast.A_Const(val=ast.String(sval=statement)), *_)
        ):
            parts = statement.split("%%")  # each is a percent sign
            if any(OPEN_PLACEHOLDER.search(part) for part in parts):
                yield None
                return
            filled = [part.replace("%I", f'"{UNKNOWN}"').replace("%L", "''") for part in parts]
            statement = "%".join(filled)
        case _:
            yield None
            return
    yield from read_statements([statement], constraints)


def _is_skipped(condition: str, constraints: Container[str]) -> bool:
    """Return whether a condition is NOT EXISTS (… FROM pg_constraint WHERE conname = 'x' AND …), and x exists."""
    match parse_expression(condition):
        case ast.BoolExpr(
            boolop=enums.BoolExprType.NOT_EXPR,
            args=(
                ast.SubLink(
                    subLinkType=enums.SubLinkType.EXISTS_SUBLINK,
                    subselect=ast.SelectStmt(fromClause=(ast.RangeVar(relname="pg_constraint"),), whereClause=where),
                ),
            ),
        ):
            names = [_constraint_name(test) for test in _split_condition(where)]
            return any(name in constraints for name in names if name)
    return False


def _split_condition(condition: Any) -> Iterable[Any]:
    match condition:
        case ast.BoolExpr(boolop=enums.BoolExprType.AND_EXPR, args=terms):
            return tuple(terms)
    return [condition]


def _constraint_name(test: Any) -> str:
    match test:
        case ast.A_Expr(
            name=(ast.String(sval="="),),
            lexpr=ast.ColumnRef(fields=(*_, ast.String(sval="conname"))),
            rexpr=ast.A_Const(val=ast.String(sval=name)),
        ):
            return name
    return ""

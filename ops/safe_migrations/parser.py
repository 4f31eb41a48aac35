"""Parsing of SQL and PL/pgSQL by PostgreSQL's own grammar."""

from collections.abc import Container, Iterable, Iterator
from typing import Any

from pglast import parse_plpgsql, parse_sql
from pglast.ast import (
    A_Const,
    A_Expr,
    BoolExpr,
    ColumnRef,
    DoStmt,
    FuncCall,
    Node,
    RangeVar,
    SelectStmt,
    String,
    SubLink,
)
from pglast.enums import BoolExprType, SubLinkType
from pglast.parser import ParseError

UNKNOWN = "?"
"""A name that only a running block knows."""

# PL/pgSQL statements that run only the SQL written in them.
STATIC_NODES = {
    "PLpgSQL_stmt_assert", "PLpgSQL_stmt_assign", "PLpgSQL_stmt_block", "PLpgSQL_stmt_call", "PLpgSQL_stmt_case",
    "PLpgSQL_stmt_execsql", "PLpgSQL_stmt_exit", "PLpgSQL_stmt_fori", "PLpgSQL_stmt_foreach_a", "PLpgSQL_stmt_fors",
    "PLpgSQL_stmt_getdiag", "PLpgSQL_stmt_if", "PLpgSQL_stmt_loop", "PLpgSQL_stmt_perform", "PLpgSQL_stmt_raise",
    "PLpgSQL_stmt_return", "PLpgSQL_stmt_while",
}  # fmt: skip


def read_statements(scripts: Iterable[str], constraints: Container[str]) -> Iterator[Node | None]:
    """Parse each script into its statements, those inside DO blocks included. None means unreadable text.

    A block's `IF NOT EXISTS (SELECT … FROM pg_constraint WHERE conname = 'x')` is skipped if `constraints` holds x.
    """
    for script in scripts:
        try:
            statements = [raw.stmt for raw in parse_sql(script)]
        except ParseError:
            yield None
            continue
        for statement in statements:
            if isinstance(statement, DoStmt):
                yield from _read_block(statement, constraints)
            else:
                yield statement


def runs_in_transaction(script: str) -> bool:
    """Return whether PostgreSQL runs a script, sent as one string, in a transaction of its own."""
    try:
        statements = parse_sql(script)
    except ParseError:
        return True
    return len(statements) != 1 or isinstance(statements[0].stmt, DoStmt)


def walk(node: Any) -> Iterator[Node]:
    """Yield the node and every node below it."""
    if isinstance(node, tuple):
        for part in node:
            yield from walk(part)
    elif isinstance(node, Node):
        yield node
        for name in node:
            yield from walk(getattr(node, name))


def _read_block(do: DoStmt, constraints: Container[str]) -> Iterator[Node | None]:
    options = {option.defname: option.arg for option in do.args}
    language = options.get("language")
    try:
        if language is not None and language.sval != "plpgsql":
            raise ParseError("Only PL/pgSQL can be read.")
        quoted = options["as"].sval.replace("'", "''")
        [block] = parse_plpgsql(f"DO '{quoted}'")
    except ParseError:
        yield None
        return
    yield from _read_block_node(block, constraints)


def _read_block_node(node: Any, constraints: Container[str]) -> Iterator[Node | None]:
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


def _read_expression(text: str, mode: int) -> Iterator[Node | None]:
    if mode > 2:  # an assignment, which the SQL grammar does not know
        text = text.partition(":=")[2] or text.partition("=")[2]
    yield from read_statements([f"SELECT {text}" if mode else text], ())


def _read_dynamic(text: str, constraints: Container[str]) -> Iterator[Node | None]:
    """Read the statement that EXECUTE gets as a constant, or as format() of a constant."""
    value = _parse_expression(text)
    match value:
        case A_Const(val=String(sval=statement)):
            pass
        case FuncCall(funcname=(String(sval="format"),), args=(A_Const(val=String(sval=statement)), *_)):
            statement = statement.replace("%I", f'"{UNKNOWN}"').replace("%L", "''").replace("%%", "%")
        case _:
            yield None
            return
    yield from read_statements([statement], constraints)


def _is_skipped(condition: str, constraints: Container[str]) -> bool:
    """Return whether a condition is NOT EXISTS (… FROM pg_constraint WHERE conname = 'x' AND …), and x exists."""
    match _parse_expression(condition):
        case BoolExpr(
            boolop=BoolExprType.NOT_EXPR,
            args=(
                SubLink(
                    subLinkType=SubLinkType.EXISTS_SUBLINK,
                    subselect=SelectStmt(fromClause=(RangeVar(relname="pg_constraint"),), whereClause=where),
                ),
            ),
        ):
            tests = where.args if isinstance(where, BoolExpr) and where.boolop is BoolExprType.AND_EXPR else [where]
            return any(_constraint_name(test) in constraints for test in tests if _constraint_name(test))
    return False


def _constraint_name(test: Any) -> str:
    match test:
        case A_Expr(
            name=(String(sval="="),),
            lexpr=ColumnRef(fields=(*_, String(sval="conname"))),
            rexpr=A_Const(val=String(sval=name)),
        ):
            return name
    return ""


def _parse_expression(text: str) -> Any:
    try:
        return parse_sql(f"SELECT {text}")[0].stmt.targetList[0].val
    except (ParseError, TypeError):
        return None

"""Definitions of indexes in one wording, in which those that mean the same are equal.

PostgreSQL writes a condition as it was first understood. After a dump and a restore it has other casts:
`ANY ((ARRAY['a'::character varying])::text[])` becomes `ANY (ARRAY[('a'::character varying)::text])`.
"""

from functools import lru_cache
from typing import Any

from crm.db.grammar import ast, enums, parse_expression, parse_statements, write_sql

TEXTS = {"text", "varchar"}
NUMBERS = {"int2", "int4", "int8", "numeric", "smallint", "integer", "bigint"}
NEGATED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
SWAPPED = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
OPPOSITE = {
    enums.BoolExprType.AND_EXPR: enums.BoolExprType.OR_EXPR,
    enums.BoolExprType.OR_EXPR: enums.BoolExprType.AND_EXPR,
}
IS_LISTED = {enums.A_Expr_Kind.AEXPR_OP_ANY: "=", enums.A_Expr_Kind.AEXPR_OP_ALL: "<>"}  # x = ANY (…), x <> ALL (…)


@lru_cache(maxsize=4096)
def reword_definition(definition: str) -> str:
    """Return `[UNIQUE] [USING method] (keys) …` in one wording, without storage parameters.

    Returns other text unchanged, such as another database's grammar.
    """
    statement = _parse_index(definition)
    if statement is None:
        return definition
    statement.options = None
    for element in (*statement.indexParams, *(statement.indexIncludingParams or ())):
        element.expr = _reword(element.expr)
    statement.whereClause = _reword(statement.whereClause)
    return write_sql(statement)


@lru_cache(maxsize=4096)
def read_storage_parameters(definition: str) -> dict[str, str]:
    """Return the storage parameters of an index by name, such as its fillfactor."""
    statement = _parse_index(definition)
    options = (statement.options or ()) if statement else ()
    return {option.defname: write_sql(option.arg).strip("'") if option.arg else "true" for option in options}


@lru_cache(maxsize=4096)
def reword_expression(expression: str) -> str:
    """Return an expression in one wording, or other text unchanged."""
    parsed = parse_expression(expression)
    return expression if parsed is None else write_sql(_reword(parsed))


@lru_cache(maxsize=4096)
def split_condition(condition: str) -> frozenset[str]:
    """Return the terms that AND combines at the outermost level of a condition, which may be empty, in one wording."""
    parsed = parse_expression(condition)
    if parsed is None:  # empty, or in another database's grammar
        return frozenset({condition} - {""})
    match _reword(parsed):
        case ast.BoolExpr(boolop=enums.BoolExprType.AND_EXPR, args=terms):
            return frozenset(write_sql(term) for term in terms)
        case term:
            return frozenset({write_sql(term)})


def _parse_index(definition: str) -> Any:
    unique, rest = ("UNIQUE ", definition[7:]) if definition.startswith("UNIQUE ") else ("", definition)
    match parse_statements(f"CREATE {unique}INDEX ON indexed {rest}"):
        case [ast.IndexStmt() as statement]:
            return statement
    return None


def _reword(node: Any) -> Any:
    """Return the expression in one wording. Its nodes are changed in place."""
    if isinstance(node, tuple):
        return tuple(_reword(part) for part in node)
    if not isinstance(node, ast.Node):
        return node
    for name in node:
        value = getattr(node, name)
        if isinstance(value, tuple | ast.Node):
            setattr(node, name, _reword(value))
    match node:
        case ast.BoolExpr(boolop=enums.BoolExprType.NOT_EXPR, args=(negated,)):
            return _negate(negated)
        case ast.BoolExpr(boolop=operator, args=terms):
            return _combine(operator, terms)
        case ast.A_Expr():
            return _reword_comparison(node)
        case ast.TypeCast():
            return _reword_cast(node)
        case ast.TypeName(names=(ast.String(sval="pg_catalog"), name)):
            node.names = (name,)
        case ast.FuncCall(funcname=(ast.String(sval="pg_catalog"), name)):
            node.funcname = (name,)
    return node


def _reword_comparison(node: Any) -> Any:
    kind, operator = node.kind, node.name[-1].sval
    if kind == enums.A_Expr_Kind.AEXPR_IN:
        kind = enums.A_Expr_Kind.AEXPR_OP_ANY if operator == "=" else enums.A_Expr_Kind.AEXPR_OP_ALL
        return _compare_with_list(kind, node.lexpr, node.rexpr)
    if IS_LISTED.get(kind) == operator and isinstance(node.rexpr, ast.A_ArrayExpr):
        return _compare_with_list(kind, node.lexpr, node.rexpr.elements or ())
    if kind != enums.A_Expr_Kind.AEXPR_OP or operator not in SWAPPED:
        return node
    if isinstance(node.lexpr, ast.A_Const) and not isinstance(node.rexpr, ast.A_Const):
        node = _compare(node.rexpr, SWAPPED[operator], node.lexpr)
    match node:
        case ast.A_Expr(
            name=(ast.String(sval="=" | "<>" as equal),), rexpr=ast.A_Const(val=ast.Boolean(boolval=value))
        ):
            return node.lexpr if value == (equal == "=") else _negate(node.lexpr)
    return node


def _compare_with_list(kind: enums.A_Expr_Kind, compared: Any, values: tuple[Any, ...]) -> Any:
    values = _sort(values)
    if len(values) == 1:
        return _compare(compared, IS_LISTED[kind], values[0])
    name = (ast.String(IS_LISTED[kind]),)
    return ast.A_Expr(kind=kind, name=name, lexpr=compared, rexpr=ast.A_ArrayExpr(elements=values))


def _reword_cast(node: Any) -> Any:
    """Move the cast of an array to its elements, and remove a cast that leaves a constant as it is."""
    kind, argument = node.typeName, node.arg
    if isinstance(argument, ast.A_ArrayExpr) and kind.arrayBounds:
        kind.arrayBounds = None
        elements = [ast.TypeCast(arg=element, typeName=kind) for element in argument.elements or ()]
        return ast.A_ArrayExpr(elements=tuple(_reword_cast(element) for element in elements))
    if kind.arrayBounds or kind.typmods or not isinstance(argument, ast.A_Const):
        return node
    name, value = kind.names[-1].sval, argument.val
    if name in TEXTS and isinstance(value, ast.String):
        return argument
    if name in NUMBERS and isinstance(value, ast.Integer | ast.Float):
        return argument
    if name in NUMBERS and isinstance(value, ast.String) and value.sval.lstrip("-").isdecimal():
        return parse_expression(value.sval)
    return node


def _negate(node: Any) -> Any:
    """Return NOT of an expression that is reworded already."""
    match node:
        case ast.BoolExpr(boolop=enums.BoolExprType.NOT_EXPR, args=(negated,)):
            return negated
        case ast.BoolExpr(boolop=operator, args=terms):
            return _combine(OPPOSITE[operator], tuple(_negate(term) for term in terms))
        case ast.NullTest(nulltesttype=test):
            is_null = test == enums.NullTestType.IS_NULL
            node.nulltesttype = enums.NullTestType.IS_NOT_NULL if is_null else enums.NullTestType.IS_NULL
            return node
        case ast.A_Expr(kind=enums.A_Expr_Kind.AEXPR_OP, name=(ast.String(sval=operator),)) if operator in NEGATED:
            return _compare(node.lexpr, NEGATED[operator], node.rexpr)
        case ast.A_Expr(kind=kind, rexpr=ast.A_ArrayExpr(elements=values)) if kind in IS_LISTED:
            [other] = IS_LISTED.keys() - {kind}
            return _compare_with_list(other, node.lexpr, values)
    return ast.BoolExpr(boolop=enums.BoolExprType.NOT_EXPR, args=(node,))


def _combine(operator: enums.BoolExprType, terms: tuple[Any, ...]) -> Any:
    """Return the terms combined by AND or OR, each once and in one order, without nested ones of the same operator."""
    flat: list[Any] = []
    for term in terms:
        nested = isinstance(term, ast.BoolExpr) and term.boolop == operator
        flat += term.args if nested else [term]
    sorted_terms = _sort(tuple(flat))
    return ast.BoolExpr(boolop=operator, args=sorted_terms) if len(sorted_terms) > 1 else sorted_terms[0]


def _compare(left: Any, operator: str, right: Any) -> Any:
    return ast.A_Expr(kind=enums.A_Expr_Kind.AEXPR_OP, name=(ast.String(operator),), lexpr=left, rexpr=right)


def _sort(nodes: tuple[Any, ...]) -> tuple[Any, ...]:
    by_text = {write_sql(node): node for node in nodes}
    return tuple(by_text[text] for text in sorted(by_text))

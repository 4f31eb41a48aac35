"""Column types, and type changes that keep the stored values."""

from typing import Any

from crm.db.grammar import ast, parse_expression

Type = tuple[str, tuple[int, ...]]
"""PostgreSQL's internal name and the modifiers: `varchar(20)` is ("varchar", (20,))."""


def keeps_values(old: str, column: Any, name: str) -> bool:
    """Return whether ALTER COLUMN … TYPE leaves the rows as they are stored; `column` is the new definition."""
    new = _read(column.typeName)
    return _is_plain_cast(column.raw_default, name, new) and _widens(_parse(old), new)


def read_collation(column: Any) -> str:
    """Return the collation of a new definition, or "" if it is its type's."""
    name: str = column.collClause.collname[-1].sval if column.collClause else ""
    return "" if name == "default" else name


def _parse(text: str) -> Type:
    match parse_expression(f"CAST(NULL AS {text})"):
        case ast.TypeCast(typeName=type_name):
            return _read(type_name)
    return "", ()


def _read(type_name: Any) -> Type:
    modifiers = tuple(getattr(one.val, "ival", -1) for one in type_name.typmods or ())
    return type_name.names[-1].sval + "[]" * len(type_name.arrayBounds or ()), modifiers


def _is_plain_cast(using: Any, column: str, new: Type) -> bool:
    """Return whether USING is missing, or casts the column to its new type."""
    match using:
        case None:
            return True
        case ast.TypeCast(arg=ast.ColumnRef(fields=(ast.String(sval=name),)), typeName=type_name):
            return name == column and _read(type_name) == new
    return False


def _widens(old: Type, new: Type) -> bool:
    """Return whether every value of the old type is stored the same way in the new type."""
    if old == new:
        return True
    match old, new:
        case ("numeric", _), ("numeric", ()):
            return True
        case (("varchar", _), ("text", ())) | (("varchar", _), ("varchar", ())) | (("text", ()), ("varchar", ())):
            return True
        case ("varchar", (before,)), ("varchar", (after,)):
            return after >= before
        case ("numeric", (before, scale)), ("numeric", (after, new_scale)):
            return after >= before and scale == new_scale
    return False

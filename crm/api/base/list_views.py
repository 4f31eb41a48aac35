"""The `list` and `export` actions of viewsets."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.export_tasks import queued
from crm.api.base.exports import Export
from crm.api.base.lists import columns_of, show_rows
from crm.api.base.pagination import read_order
from crm.api.base.prepared_pages import PreparedOrder
from crm.db.prepared import Reader, Slot

LISTS = ("list", "export")  # actions on the rows of a list


class ListRowsMixin:
    """The `list` action of a `TenantViewSet`, and the `export` of the same rows as a file."""

    export_class = Export

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer_class = self.get_serializer_class()
        ordering = read_order(request, self.orders)
        order_columns = [name.lstrip("-") for name in ordering]
        columns = tuple(dict.fromkeys([*(column.source for column in columns_of(serializer_class)), *order_columns]))
        if self.paginator.is_plain(request):
            page = self.paginator.paginate(self._prepare(ordering, columns), request)
        else:
            page = self.paginate_queryset(self.filter_queryset(self.get_queryset()).values(*columns))
        return self.get_paginated_response(show_rows(page, serializer_class, self.user))

    def _prepare(self: Any, ordering: tuple[str, str], columns: tuple[str, ...]) -> PreparedOrder:
        values = self.columns_of_url()

        def build(reader: Reader) -> QuerySet:
            rows: QuerySet = self.rows_for(reader).filter(**{name: Slot(name) for name in values})
            return rows

        return PreparedOrder(self.model, ordering, columns, build, name=type(self), user=self.user, values=values)

    @action(detail=False, methods=["get"])
    def export(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Export the list as a file: all its rows, with its filters. Audit entries record who has done it.

        An XLSX file of more than 10,000 rows is made by a background task: the answer is then 202 with the task, whose
        file `GET background-tasks/{id}/file` gives once it is `done`. The same request while it runs answers the task.
        """
        export = self.export_class(self, request, self.filter_queryset(self.get_queryset()))
        self.exit_stack.close()  # the file has transactions of its own, which outlive the view
        response: HttpResponseBase = queued(self) if export.is_long else export.response()
        return response

    def perform_content_negotiation(self: Any, request: Request, force: bool = False) -> Any:
        """Ignore the media types that the client accepts for a file: `format` names it."""
        return super().perform_content_negotiation(request, force or self.action == "export")  # type: ignore[misc]

"""`…/export` of a list: its rows, with its filters, as a CSV or XLSX file."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from crm.api.base.companions import companions_of
from crm.api.base.errors import invalid
from crm.api.base.lists import columns_of, show_rows
from crm.api.base.pagination import Order, read_order
from crm.db.tenancy import statement_limits, tenant
from crm.error_codes import ErrorCode
from crm.models import User
from crm.services.exports.audit import record_export
from crm.services.exports.cells import as_row
from crm.services.exports.files import MAX_XLSX_ROWS, XLSX_ROWS_AT_ONCE, Row, csv_of, write_xlsx

PAGE = 2000  # rows in memory
CSV, XLSX = "csv", "xlsx"
CSV_TYPE = "text/csv"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARAMETERS = {"format", "order"}
Rows = Iterable[dict[str, Any]]
Piece = tuple[bytes, int]
"""A part of a CSV file, and the number of its rows."""


@dataclass(frozen=True)
class ExportColumn:
    """A column of the file, with its value in a row as the API has it."""

    header: str
    value_of: Callable[[dict[str, Any]], Any]


def at(*path: str) -> Callable[[dict[str, Any]], Any]:
    """Return the function that takes the value at a path of names out of a row; None if it ends before."""

    def value_of(row: Any) -> Any:
        for name in path:
            row = row.get(name) if row else None
        return row

    return value_of


def columns_of_list(serializer_class: Any) -> list[ExportColumn]:
    """Return the columns of a list: the fields of its rows. Of the contact in short, the name and the number."""
    plain = {column.name for column in columns_of(serializer_class)}
    beside = {str(field.field_name) for field in companions_of(serializer_class)}
    columns = []
    for name in serializer_class().fields:
        if name == "contact_summary":
            columns += [ExportColumn(f"Contact {part}", at(name, part)) for part in ("name", "phone")]
        elif name in plain | beside:
            columns.append(ExportColumn(header_of(name), at(name)))
    return columns


def header_of(name: str) -> str:
    """Return the name of a field in words: `assigned_rep_name` is `Assigned rep name`."""
    return "ID" if name == "id" else name.replace("_", " ").capitalize()


class Export:
    """The export of one list for one request. Pages are read as the file is sent, each in a transaction of its own."""

    def __init__(self, view: Any, request: Request, rows: QuerySet) -> None:
        self.user: User = view.user
        self.company_id: int = view.company_id
        self.zone = self.user.company.zone
        self.serializer_class = view.get_serializer_class()
        self.columns = self.columns_of(view)
        self.order = Order(rows, read_order(request, view.orders))
        self.resource: str = view.resource
        self.table = rows.model._meta.db_table
        self.filters = {
            name: values for name, values in request.query_params.lists() if name not in PARAMETERS
        } | view.kwargs
        self.kind = request.query_params.get("format", CSV)
        if self.kind not in (CSV, XLSX):
            raise invalid("format", f"Must be one of: {CSV}, {XLSX}.", code=ErrorCode.INVALID_CHOICE)
        self.sent = 0

    def columns_of(self, view: Any) -> list[ExportColumn]:
        return columns_of_list(view.get_serializer_class())

    @property
    def header(self) -> list[str]:
        return [column.header for column in self.columns]

    @property
    def file_name(self) -> str:
        return f"{self.resource.replace('/', '-')}.{self.kind}"

    def response(self) -> HttpResponseBase:
        """Return the response with the file. The first page is read before, so that its failure is an error."""
        name = self.file_name
        if self.kind == XLSX:
            self.record()
            file = write_xlsx(self.header, self.counted_pages())
            self.record(rows=self.sent)
            return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX_TYPE)
        pieces = self.csv_pieces()
        first = next(pieces, (b"", 0))
        self.record()
        body = self.counted(chain([(csv_of([self.header]), 0), first], pieces))
        response = StreamingHttpResponse(body, content_type=CSV_TYPE)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def csv_pieces(self) -> Iterator[Piece]:
        """Yield the file in pieces, without the header."""
        for page in self.pages():
            yield csv_of(page), len(page)

    def counted(self, pieces: Iterable[Piece]) -> Iterator[bytes]:
        """Yield the pieces, and record their rows at the end, also if the client goes away before."""
        complete = False
        try:
            for piece, rows in pieces:
                yield piece
                self.sent += rows
            complete = True
        finally:
            self.record(rows=self.sent, complete=complete)

    def counted_pages(self) -> Iterator[list[Row]]:
        for page in self.pages():
            self.sent += len(page)
            yield page

    def pages(self) -> Iterator[list[Row]]:
        """Yield pages of cells."""
        position: list[Any] | None = None
        while True:
            with active(self.company_id):
                page, position = self.page_after(position)
            yield page
            if position is None:
                return

    def page_after(self, position: list[Any] | None) -> tuple[list[Row], list[Any] | None]:
        """Return the next page of cells, and the position of its last row; None if there are no more rows."""
        sources = dict.fromkeys([*(column.source for column in columns_of(self.serializer_class)), *self.order.fields])
        page = list(self.order.rows(after=position).values(*sources)[:PAGE])
        shown: Rows = show_rows(page, self.serializer_class, self.user)
        cells: list[Row] = [as_row((column.value_of(row) for column in self.columns), self.zone) for row in shown]
        return cells, [page[-1][name] for name in self.order.fields] if len(page) == PAGE else None

    @property
    def is_long(self) -> bool:
        """Return whether a background task has to make the file. Raises ValidationError if even that can't."""
        if self.kind == CSV:
            return False
        with active(self.company_id):
            return self.count_rows() > XLSX_ROWS_AT_ONCE

    def count_rows(self) -> int:
        """Return the number of rows. Raises ValidationError if an XLSX file can't have them."""
        rows = self.order.queryset.order_by()[: MAX_XLSX_ROWS + 1].count()
        if rows > MAX_XLSX_ROWS:
            detail = f"An XLSX file can have {MAX_XLSX_ROWS:,} rows at most. Take format=csv, or filter the list."
            raise invalid("format", detail)
        return rows

    def record(self, **results: Any) -> None:
        facts = {"format": self.kind, "filters": self.filters, **results}
        record_export(user=self.user, company_id=self.company_id, table=self.table, facts=facts)


@contextmanager
def active(company_id: int) -> Iterator[None]:
    """Activate the tenant for one page, with the limits of a request: those of the middleware ended with the view."""
    with (
        statement_limits(
            statement_timeout=settings.WEB_STATEMENT_TIMEOUT_MS, lock_timeout=settings.WEB_LOCK_TIMEOUT_MS
        ),
        tenant(company_id),
    ):
        yield

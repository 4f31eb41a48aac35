"""Keyset pagination, equally fast on every page; offset pagination for small depths."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import DateTimeField, IntegerField, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from crm.api.base.errors import invalid
from crm.api.base.filters import MAX_ID
from crm.date_ranges import parse_day
from crm.error_codes import ErrorCode
from crm.instants import parse_instant

DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET = 100, 1000, 10_000
Orders = dict[str, tuple[str, str]]  # by name: a time, a day or a number, and the id
MAX_COUNTED = 1000  # an exact count of a large list is slow, and no screen needs it
PLAIN = {"limit", "cursor", "order"}
PARAMETERS = {*PLAIN, "offset", "count"}


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}`; with `count=1` also `"count"`, up to 1000, and `"count_capped"`.

    An order is a time, a day or a number, and the id, both in the same direction, e.g. `("-created_at", "-id")`. A
    cursor is the position of a row in that order; the database seeks to it in the index and reads on.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        order = Order(queryset, read_order(request, view.orders))
        count = queryset[: MAX_COUNTED + 1].count() if read_flag(request, "count") else None
        if "offset" not in request.query_params:
            return self.paginate(order, request, count=count)
        if "cursor" in request.query_params:
            raise invalid("cursor", "Use either cursor or offset.")
        self._begin(request, count)
        return self._page_at_offset(order.rows())

    def paginate(self, order: Any, request: Request, *, count: int | None = None) -> list[Any]:
        """Return the page at the request's cursor. `order` has the interface of `Order`."""
        self._begin(request, count)
        self.order = order
        return self._page_at_cursor()

    def _begin(self, request: Request, count: int | None) -> None:
        self.request, self.count = request, count
        self.url = request.build_absolute_uri()
        self.limit = _whole_number(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)

    @staticmethod
    def is_plain(request: Request) -> bool:
        """Tell whether a request has no filter, and reads on from a cursor: as nearly all requests do."""
        return PLAIN.issuperset(request.query_params)

    def _page_at_offset(self, rows: QuerySet) -> list[Any]:
        offset = _whole_number(
            self.request, "offset", default=0, low=0, high=MAX_OFFSET, hint="; use a cursor for deeper pages"
        )
        page = list(rows[offset : offset + self.limit + 1])
        more = len(page) > self.limit
        self.next = replace_query_param(self.url, "offset", offset + self.limit) if more else None
        self.previous = replace_query_param(self.url, "offset", max(offset - self.limit, 0)) if offset else None
        return page[: self.limit]

    def _page_at_cursor(self) -> list[Any]:
        cursor = self.request.query_params.get("cursor")
        backwards, position = self.order.read(self._verify(cursor)) if cursor is not None else (False, None)
        page = self.order.page(self.limit + 1, after=position, backwards=backwards)
        more, page = len(page) > self.limit, page[: self.limit]
        if backwards:
            page.reverse()
        # The cursor's own row lies on the other side, so there is a page in that direction.
        has_next = backwards or more
        has_previous = more if backwards else cursor is not None
        self.next = self._link(page[-1], backwards=False) if page and has_next else None
        self.previous = self._link(page[0], backwards=True) if page and has_previous else None
        return page

    def _link(self, row: Any, *, backwards: bool) -> str:
        cursor = cursor_signer(self.request.user, self.request.path).sign(self.order.write(row, backwards=backwards))
        return replace_query_param(remove_query_param(self.url, "cursor"), "cursor", cursor)

    def _verify(self, cursor: str) -> str:
        try:
            return cursor_signer(self.request.user, self.request.path).unsign(cursor)
        except BadSignature as error:
            raise invalid_cursor() from error

    def get_paginated_response(self, data: Any) -> Response:
        body = {"next": self.next, "previous": self.previous, "results": data}
        if self.count is not None:
            body |= {"count": min(self.count, MAX_COUNTED), "count_capped": self.count > MAX_COUNTED}
        return Response(body)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "count": {
                    "type": "integer",
                    "maximum": MAX_COUNTED,
                    "description": "The number of rows in the whole list; only with count=1.",
                },
                "count_capped": {"type": "boolean", "description": "Whether the list has more rows than `count`."},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[Any]:
        def parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
            return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}

        names = list(getattr(view, "orders", ())) or [""]
        return [
            parameter("limit", "Rows on a page.", type="integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
            parameter("cursor", "A position in the list, from `next` or `previous`.", type="string"),
            parameter("offset", "Rows to skip. For small depths only.", type="integer", minimum=0, maximum=MAX_OFFSET),
            parameter("count", f"1 adds the number of rows, up to {MAX_COUNTED}.", type="integer", enum=[0, 1]),
            parameter("order", "The order of the rows.", type="string", enum=names, default=names[0]),
        ]


def orders_by(time: str = "created_at", **more: tuple[str, str]) -> Orders:
    """Return the orders of a list by a time, latest first unless another is asked for, and more."""
    return {"newest": (f"-{time}", "-id"), "oldest": (time, "id"), **more}


def read_order(request: Request, orders: Orders) -> tuple[str, str]:
    """Return the order that `?order=` names, by default the first. Raises ValidationError for an unknown name."""
    order = request.query_params.get("order", next(iter(orders)))
    if order not in orders:
        raise invalid("order", f"Must be one of: {', '.join(orders)}.", code=ErrorCode.INVALID_CHOICE)
    return orders[order]


class Order:
    """A total order of a queryset's rows, and the positions in it."""

    def __init__(self, queryset: QuerySet, ordering: tuple[str, str]) -> None:
        self.queryset = queryset
        self._sort(queryset.model, ordering)

    def _sort(self, model: Any, ordering: tuple[str, str]) -> None:
        self.model = model
        self.name = ordering[0]
        self.fields = [name.lstrip("-") for name in ordering]
        self.descending = ordering[0].startswith("-")

    def rows(self, *, after: list[Any] | None = None, backwards: bool = False) -> QuerySet:
        """Return the rows after a position, or, backwards, those before it in reverse."""
        descending = self.descending != backwards
        rows = self.queryset
        if after is not None:
            time, key = self.fields
            beyond = "lt" if descending else "gt"
            # The first condition alone bounds the index scan; the second drops rows of the same instant that were on
            # the page before.
            rows = rows.filter(
                Q(**{f"{time}__{beyond}e": after[0]}),
                Q(**{f"{time}__{beyond}": after[0]}) | Q(**{f"{key}__{beyond}": after[1]}),
            )
        return rows.order_by(*(f"-{name}" if descending else name for name in self.fields))

    def page(self, size: int, *, after: list[Any] | None = None, backwards: bool = False) -> list[Any]:
        """Return the first `size` of those rows."""
        return list(self.rows(after=after, backwards=backwards)[:size])

    @property
    def column(self) -> Any:
        """The field that the rows are sorted by."""
        return self.model._meta.get_field(self.fields[0])

    def write(self, row: dict[str, Any], *, backwards: bool) -> str:
        first, key = (row[name] for name in self.fields)
        return encode_cursor([backwards, first if isinstance(first, int) else first.isoformat(), self.name, key])

    def read(self, cursor: str) -> tuple[bool, list[Any]]:
        """Decode a cursor. Raises ValidationError for an invalid one, and for one of another order."""
        column = self.column
        try:
            backwards, time, name, key = decode_cursor(cursor, _parser_of(column))
            if name != self.name:
                raise ValueError(cursor)
            return backwards, [time, key]
        except (ValueError, TypeError) as error:
            raise invalid_cursor() from error


def _parser_of(column: Any) -> Callable[[Any], Any]:
    if isinstance(column, IntegerField):
        return _parse_number
    return parse_instant if isinstance(column, DateTimeField) else parse_day


def _parse_number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(value)
    return value


def cursor_signer(user: Any, path: str) -> Signer:
    """Return the signer of the cursors that a user gets from the list at this path: no other user can use them."""
    return Signer(salt=f"crm.api.cursor {user.pk} {path}")


def encode_cursor(position: list[Any]) -> str:
    return urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parse: Callable[[Any], Any] = parse_instant) -> tuple[Any, ...]:
    """Return the parts of an encoded cursor: whether it leads backwards, the time, …, the id.

    Raises:
        ValueError, TypeError: the cursor isn't valid.
    """
    try:
        backwards, time, *rest, key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except RecursionError as error:
        raise ValueError(cursor) from error
    if type(backwards) is not bool or type(key) is not int or not 0 < key <= MAX_ID:
        raise ValueError(cursor)
    return backwards, parse(time), *rest, key


def invalid_cursor() -> ValidationError:
    return invalid("cursor", code=ErrorCode.INVALID_CURSOR)


def _whole_number(request: Request, name: str, *, default: int, low: int, high: int, hint: str = "") -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19 and low <= int(text) <= high):
        raise invalid(name, f"Must be a whole number from {low} to {high}{hint}.")
    return int(text)


def read_flag(request: Request, name: str) -> bool:
    """Return whether a parameter is 1; without it, False."""
    text = request.query_params.get(name, "0")
    if text not in ("0", "1"):
        raise invalid(name, "Must be 0 or 1.", code=ErrorCode.INVALID_CHOICE)
    return text == "1"

"""Pages of a list: by cursor, which costs the same on page 1 and on page 10,000, or by offset for small depths."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET = 100, 1000, 10_000
PARAMETERS = {"limit", "cursor", "offset", "count"}


class KeysetPagination(BasePagination):
    """`{"next", "previous", "results"}`, and `"count"` when asked for by `count=1`.

    The view's `ordering` is a time and the id, both in the same direction, e.g. `("-created_at", "-id")`. A cursor is
    the place of a row in that order; the database seeks to it in the index and reads on, whatever lies before.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.url = request.build_absolute_uri()
        self.limit = _whole_number(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)
        self.order = Order(queryset, view.get_ordering())
        self.count = queryset.count() if _flag(request, "count") else None
        if "offset" in request.query_params:
            if "cursor" in request.query_params:
                raise ValidationError({"cursor": ["Use either cursor or offset."]})
            return self._page_at_offset(self.order.rows())
        return self._page_at_cursor()

    def _page_at_offset(self, rows: QuerySet) -> list[Model]:
        offset = _whole_number(self.request, "offset", default=0, low=0, high=MAX_OFFSET, beyond="page by cursor there")
        page = list(rows[offset : offset + self.limit + 1])
        more = len(page) > self.limit
        self.next = replace_query_param(self.url, "offset", offset + self.limit) if more else None
        self.previous = replace_query_param(self.url, "offset", max(offset - self.limit, 0)) if offset else None
        return page[: self.limit]

    def _page_at_cursor(self) -> list[Model]:
        cursor = self.request.query_params.get("cursor")
        backwards, place = self.order.read(cursor) if cursor is not None else (False, None)
        page = list(self.order.rows(after=place, backwards=backwards)[: self.limit + 1])
        more, page = len(page) > self.limit, page[: self.limit]
        if backwards:
            page.reverse()
        # Reading on from a cursor, the row that it names lies on the other side: there is a page that way.
        has_next = backwards or more
        has_previous = more if backwards else cursor is not None
        self.next = self._link(page[-1], backwards=False) if page and has_next else None
        self.previous = self._link(page[0], backwards=True) if page and has_previous else None
        return page

    def _link(self, row: Model, *, backwards: bool) -> str:
        return replace_query_param(
            remove_query_param(self.url, "cursor"), "cursor", self.order.write(row, backwards=backwards)
        )

    def get_paginated_response(self, data: Any) -> Response:
        body = {"next": self.next, "previous": self.previous, "results": data}
        return Response(body if self.count is None else {"count": self.count, **body})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "Only when asked for by count=1."},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        def parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
            return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}

        return [
            parameter("limit", "Rows on a page.", type="integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
            parameter("cursor", "A place in the list, from `next` or `previous`.", type="string"),
            parameter("offset", "Rows to skip: for small depths.", type="integer", minimum=0, maximum=MAX_OFFSET),
            parameter("count", "1 adds the number of rows in the whole list.", type="integer", enum=[0, 1]),
        ]


class Order:
    """A total order of a queryset's rows, and the places in it."""

    def __init__(self, queryset: QuerySet, ordering: tuple[str, str]) -> None:
        self.queryset = queryset
        self.fields = [name.lstrip("-") for name in ordering]
        self.descending = ordering[0].startswith("-")

    def rows(self, *, after: list[Any] | None = None, backwards: bool = False) -> QuerySet:
        """The rows behind the place `after`, or, backwards, those before it in reverse."""
        descending = self.descending != backwards
        rows = self.queryset
        if after is not None:
            time, key = self.fields
            beyond = "lt" if descending else "gt"
            # The first condition alone bounds the index scan; the second drops those rows of the same instant that
            # were on the page before.
            rows = rows.filter(
                Q(**{f"{time}__{beyond}e": after[0]}),
                Q(**{f"{time}__{beyond}": after[0]}) | Q(**{f"{key}__{beyond}": after[1]}),
            )
        return rows.order_by(*(f"-{name}" if descending else name for name in self.fields))

    def write(self, row: Model, *, backwards: bool) -> str:
        time, key = (getattr(row, name) for name in self.fields)
        return urlsafe_b64encode(json.dumps([backwards, time.isoformat(), key]).encode()).decode().rstrip("=")

    def read(self, cursor: str) -> tuple[bool, list[Any]]:
        """Raises ValidationError, naming `cursor`, for one that this API did not give out."""
        try:
            backwards, time, key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            meta = self.queryset.model._meta
            place = [meta.get_field(self.fields[0]).to_python(time), meta.get_field(self.fields[1]).to_python(key)]
            if type(backwards) is not bool or type(key) is not int or not 0 < key < 2**63 or place[0].tzinfo is None:
                raise ValueError(cursor)
        except (ValueError, TypeError, AttributeError, RecursionError, DjangoValidationError) as error:
            raise ValidationError({"cursor": ["Not a cursor that this list gave out."]}) from error
        return backwards, place


def _whole_number(request: Request, name: str, *, default: int, low: int, high: int, beyond: str = "") -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19 and low <= int(text) <= high):
        hint = f"; {beyond}" if beyond else ""
        raise ValidationError({name: [f"Must be a whole number from {low} to {high}{hint}."]})
    return int(text)


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "0")
    if text not in ("0", "1"):
        raise ValidationError({name: ["Must be 0 or 1."]})
    return text == "1"

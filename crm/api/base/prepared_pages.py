"""Pages of a list by a prepared query."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from crm.api.base.pagination import Order
from crm.db.prepared import Reader, Slot, run_prepared
from crm.models import User


class PreparedOrder(Order):
    """A total order of rows that are read as dicts with these columns.

    Args:
        ordering: see `KeysetPagination`.
        build: returns all rows. It gets a stand-in for the user: see `crm.db.prepared`.
        name: what these rows are. With the columns and the user's role it stands for the query.
        values: for the slots of the query.
    """

    def __init__(
        self, model: Any, ordering: tuple[str, str], columns: tuple[str, ...], build: Callable[[Reader], QuerySet], *,
        name: Any, user: User, values: dict[str, Any],
    ) -> None:  # fmt: skip
        self._sort(model, ordering)
        self.columns, self.build, self.key, self.reader = columns, build, name, Reader(user)
        self.values = values | {"user": user.pk}

    def page(self, size: int, *, after: list[Any] | None = None, backwards: bool = False) -> list[Any]:
        shape = (*self.reader.shape, self.name, backwards, after is None, self.columns)
        position = {} if after is None else {"at": after[0], "after_id": after[1]}

        def build() -> QuerySet:
            order = Order(self.build(self.reader), (self.name, self.fields[1]))
            slots = None if after is None else [Slot("at", self.column), Slot("after_id")]
            return order.rows(after=slots, backwards=backwards).values_list(*self.columns)

        rows = run_prepared(self.key, shape, build, limit=size, **self.values, **position)
        return [dict(zip(self.columns, row, strict=True)) for row in rows]

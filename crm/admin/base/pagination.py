"""Counts that stay cheap on tables of 100 million rows."""

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

MAX_ROWS = 10_000


def count_up_to(rows: QuerySet, most: int) -> int:
    """How many there are, giving up at `most`: the database stops looking there."""
    return rows.order_by()[:most].count()


def format_count(rows: QuerySet, *, most: int) -> str:
    """`1,234`, or `10,000+` where there are more than `most`."""
    count = count_up_to(rows, most + 1)
    return f"{most:,}+" if count > most else f"{count:,}"


def estimate_rows(model: type[Model]) -> int | None:
    """The planner's idea of the table's size, free of charge. None on SQLite, which keeps none."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        return cursor.fetchone()[0]


class BoundedPaginator(Paginator):
    """Pages through the first 10,000 rows, and neither counts nor skips more: who wants row 50,000 will filter."""

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        return count_up_to(self.object_list, MAX_ROWS)

    @cached_property
    def total(self) -> str:
        """How many rows there are, in words: `37`, `about 103,000,000`, `10,000 or more`."""
        if self.count < MAX_ROWS:
            return f"{self.count:,}"
        everything = not self.object_list.query.where
        estimate = estimate_rows(self.object_list.model) if everything else None
        # Never analysed, or not for long: less than what was just counted.
        return f"about {estimate:,}" if estimate and estimate > MAX_ROWS else f"{MAX_ROWS:,} or more"

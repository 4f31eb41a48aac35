"""Bounded pagination and counts for tables of 100 million rows."""

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import IntegerField, Model, QuerySet, Subquery
from django.utils.functional import cached_property

MAX_ROWS = 10_000


def count_up_to(rows: QuerySet, limit: int) -> int:
    """Count rows up to `limit`; the database stops there."""
    return rows.order_by()[:limit].count()


class CountUpTo(Subquery):
    """The number of a query's rows up to a limit, as a value of another query: many are counted by one statement."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet, limit: int) -> None:
        super().__init__(rows.order_by().values("pk")[:limit])


def format_count(rows: QuerySet, *, limit: int) -> str:
    """Return the count as text: `1,234`, or `10,000+` above `limit`."""
    count = count_up_to(rows, limit + 1)
    return f"{limit:,}+" if count > limit else f"{count:,}"


def estimate_rows(model: type[Model]) -> int | None:
    """Return the planner's row estimate; None on SQLite, which has none."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        return cursor.fetchone()[0]


class BoundedPaginator(Paginator):
    """Paginates the first MAX_ROWS rows; neither counts nor skips more."""

    object_list: QuerySet

    @cached_property
    def count(self) -> int:
        return count_up_to(self.object_list, MAX_ROWS)

    @cached_property
    def total(self) -> str:
        """Return the number of rows as text: `37`, `about 103,000,000` or `10,000 or more`."""
        if self.count < MAX_ROWS:
            return f"{self.count:,}"
        unfiltered = not self.object_list.query.where
        estimate = estimate_rows(self.object_list.model) if unfiltered else None
        # Without a recent ANALYZE, the estimate may be below the count.
        return f"about {estimate:,}" if estimate and estimate > MAX_ROWS else f"{MAX_ROWS:,} or more"

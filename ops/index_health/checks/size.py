"""Size: tables and indexes that are large enough for archiving or partitions."""

from collections.abc import Iterator

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.timezone import now

from ops.index_health.catalog import CatalogTable, Database
from ops.index_health.findings import Finding, FindingKind

MONTH_DAYS = 30


def find(database: Database) -> Iterator[Finding]:
    for table in database.tables.values():
        if table.bytes >= settings.TABLE_LARGE_BYTES:
            month = grown_in_month(database, table)
            growth = f" and grows by {filesizeformat(month)} a month" if month else ""
            yield Finding(
                kind=FindingKind.LARGE,
                table=table.name,
                index="",
                message=f"The table takes {filesizeformat(table.bytes)} for {table.rows:,} rows{growth}.",
                remedy="Archive old rows (manage.py archive), or partition the table by month",
            )
    for index in database.indexes.values():
        if index.bytes >= settings.INDEX_LARGE_BYTES:
            yield Finding(
                kind=FindingKind.LARGE,
                table=index.table,
                index=index.name,
                message=f"The index takes {filesizeformat(index.bytes)},"
                f" {database.bytes_per_row(index):.0f} bytes per row of its table.",
                remedy="Rebuild it if it is bloated, index fewer rows, or partition the table by month",
            )


def grown_in_month(database: Database, table: CatalogTable) -> float:
    """Return the growth in bytes per 30 days, with all indexes, from the rows since the server began to count.

    Returns 0 if it is unknown, or counted for less than a day.
    """
    if database.counted_since is None or table.inserted is None:
        return 0
    days = (now() - database.counted_since).total_seconds() / 86_400
    rows = table.inserted - (table.deleted or 0)
    return rows * table.bytes_per_row / days * MONTH_DAYS if days >= 1 else 0

"""Tables and indexes that are large enough to think of partitions: 10 GiB a table, 5 GiB an index."""

from collections.abc import Iterator

from django.conf import settings
from django.utils.timezone import now

from ops.index_health.catalog import CatalogTable, Database
from ops.index_health.findings import Finding, FindingKind
from ops.index_health.formatting import in_bytes

MONTH_DAYS = 30


def find(database: Database) -> Iterator[Finding]:
    for table in database.tables.values():
        if table.bytes >= settings.TABLE_LARGE_BYTES:
            month = grown_in_month(database, table)
            growth = f" and grows by {in_bytes(month)} a month" if month else ""
            yield Finding(
                kind=FindingKind.LARGE,
                table=table.name,
                index="",
                message=f"The table has {in_bytes(table.bytes)} in {table.rows:,} rows{growth}.",
                remedy="Archive old rows (manage.py archive), or divide the table into partitions by month",
            )
    for index in database.indexes.values():
        if index.bytes >= settings.INDEX_LARGE_BYTES:
            per_row = index.bytes / max(database.tables[index.table].rows, 1)
            yield Finding(
                kind=FindingKind.LARGE,
                table=index.table,
                index=index.name,
                message=f"The index has {in_bytes(index.bytes)}, {per_row:.0f} bytes for each row of its table.",
                remedy="Rebuild it where it is bloated, index fewer rows, or divide the table into partitions by month",
            )


def bytes_per_row(table: CatalogTable) -> float:
    """With all indexes."""
    return (table.bytes + table.index_bytes) / table.rows if table.rows else 0


def grown_in_month(database: Database, table: CatalogTable) -> float:
    """Bytes in 30 days, with all indexes, at the pace of the rows since the server began to count; 0 if unknown."""
    if database.counted_since is None or table.inserted is None:
        return 0
    days = (now() - database.counted_since).total_seconds() / 86_400
    rows = table.inserted - (table.deleted or 0)
    return rows * bytes_per_row(table) / days * MONTH_DAYS if days >= 1 else 0

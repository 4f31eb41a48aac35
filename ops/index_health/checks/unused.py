"""Indexes that nobody asked anything, while every write paid for them."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.foreign_keys import needed_indexes
from ops.index_health.formatting import in_bytes
from ops.index_health.ownership import is_framework, named_declarations


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.vendor == "sqlite":
        yield SkippedCheck("SQLite does not count how often an index is used.")
        return
    since = database.counted_since
    if since is None:
        yield SkippedCheck("No index can be called unused while a server's counters are unknown.")
        return
    age = now() - since
    if age < timedelta(days=settings.INDEX_UNUSED_DAYS):
        yield SkippedCheck(
            f"No index is called unused yet: use is counted since {since:%Y-%m-%d %H:%M} UTC, for {age.days} days,"
            f" and INDEX_UNUSED_DAYS is {settings.INDEX_UNUSED_DAYS}."
        )
        return
    needed = needed_indexes(database)
    for index in database.indexes.values():
        if index.scans == 0 and index.valid and not index.guards:
            yield _unused(database, index, age.days, needed=index.name in needed)


def _unused(database: Database, index: CatalogIndex, days: int, *, needed: bool) -> Finding:
    servers = "" if len(database.servers) == 1 else f" on {', '.join(database.servers)}"
    frameworks = is_framework(index.table) or is_named_by_django(database, index)
    why = " A foreign key needs it on the day when a row that it points at goes." if needed else ""
    why += " Django or a library makes it." if frameworks else ""
    return Finding(
        kind=FindingKind.UNUSED,
        table=index.table,
        index=index.name,
        message=f"Not one scan{servers} in {days} days. {describe_cost(database, index)}{why}",
        remedy="" if needed or frameworks else remediation.drop_or_remove_operation(database, index),
        reclaimable_bytes=0 if needed else index.bytes,
        known=needed or frameworks,
    )


def is_named_by_django(database: Database, index: CatalogIndex) -> bool:
    """It follows from a field, such as the one for LIKE beside each unique text, and can't be left out."""
    return index.name in (database.declared or {}) and index.name not in named_declarations()


def describe_cost(database: Database, index: CatalogIndex) -> str:
    """What it takes, and how often it was written: by each insert, and by each update that was not HOT."""
    table = database.tables[index.table]
    share = index.bytes / table.index_bytes if table.index_bytes else 0
    written = (table.inserted or 0) + (table.updated or 0) - (table.hot_updated or 0)
    return f"It takes {in_bytes(index.bytes)}, {share:.0%} of the table's indexes, and was written {written:,} times."

"""Unused indexes: no query scans them, but every write pays for them."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.timezone import now

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.foreign_keys import needed_indexes
from ops.index_health.ownership import is_made_by_field, other_maker


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    since = database.counted_since
    if since is None:
        yield SkippedCheck("Unused indexes are unknown: the counters of a server could not be read.")
        return
    age = now() - since
    if age < timedelta(days=settings.INDEX_UNUSED_DAYS):
        yield SkippedCheck(
            f"Unused indexes are unknown yet: use is counted since {since:%Y-%m-%d %H:%M} UTC, for {age.days} days,"
            f" and INDEX_UNUSED_DAYS is {settings.INDEX_UNUSED_DAYS}."
        )
        return
    alone = needed_indexes(database)
    servers = "" if len(database.servers) == 1 else f" on {', '.join(database.servers)}"
    for index in database.indexes.values():
        if index.scans or index.scans is None or not index.valid or index.is_constraint or index.parent:
            continue
        needed, maker = index.name in alone, other_maker(database, index.table)
        if not maker and is_made_by_field(database, index.name):
            maker = "Django or a library"
        why = " A foreign key needs it when a referenced row is deleted." if needed else ""
        why += f" {maker} makes it." if maker else ""
        yield Finding(
            FindingKind.UNUSED,
            index.table,
            index.name,
            f"No scans{servers} in {age.days} days. {_describe_cost(database, index)}{why}",
            remedy="" if needed or maker else remediation.drop_or_remove_operation(database, index),
            reclaimable_bytes=0 if needed else index.bytes,
            known=needed or bool(maker),
        )


def _describe_cost(database: Database, index: CatalogIndex) -> str:
    """Describe the size and the writes: each insert, and each update that was not HOT."""
    table = database.tables[index.table]
    share = index.bytes / table.index_bytes if table.index_bytes else 0
    written = (table.inserted or 0) + (table.updated or 0) - (table.hot_updated or 0)
    size = filesizeformat(index.bytes)
    return f"It takes {size}, {share:.0%} of the table's indexes, and was written {written:,} times."

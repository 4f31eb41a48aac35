"""Index use on replicas. Each server counts only its own queries."""

from dataclasses import replace

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog import postgresql
from ops.index_health.catalog.models import CatalogIndex, Database
from ops.index_health.findings import SkippedCheck


def add_use(database: Database, replica: BaseDatabaseWrapper) -> Database:
    """Return the database with a replica's scans added, counted since the later of the two starting times."""
    try:
        since, indexes = postgresql.read_counted_since(replica), postgresql.read_indexes(replica)
    except DatabaseError as error:
        skipped = SkippedCheck(f"The use of indexes on {replica.alias} is unknown: {str(error).strip()}")
        return replace(database, counted_since=None, skipped_checks=(*database.skipped_checks, skipped))
    return replace(
        database,
        counted_since=database.counted_since and max(database.counted_since, since),
        indexes={
            name: _sum_use(index, indexes[name]) if name in indexes else index
            for name, index in database.indexes.items()
        },
        servers=(*database.servers, replica.alias),
    )


def _sum_use(primary: CatalogIndex, replica: CatalogIndex) -> CatalogIndex:
    return replace(
        primary,
        scans=(primary.scans or 0) + (replica.scans or 0),
        tuples_read=(primary.tuples_read or 0) + (replica.tuples_read or 0),
        tuples_fetched=(primary.tuples_fetched or 0) + (replica.tuples_fetched or 0),
        last_scan=max((moment for moment in (primary.last_scan, replica.last_scan) if moment), default=None),
    )

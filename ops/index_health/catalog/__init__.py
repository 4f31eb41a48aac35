"""The catalogue: the database's tables and indexes with their sizes and use, beside the declared indexes."""

from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog import postgresql, sqlite
from ops.index_health.catalog.expected import read_declared
from ops.index_health.catalog.models import CatalogIndex, CatalogTable, Database, ForeignKey, Key
from ops.index_health.findings import SkippedCheck

__all__ = ["CatalogIndex", "CatalogTable", "Database", "ForeignKey", "Key", "read_database"]


def read_database(alias: str = "default") -> Database:
    """Read the catalogue, with the use of indexes on this server and the replicas. Reads no rows of any table."""
    connection = connections[alias]
    reader = postgresql if connection.vendor == "postgresql" else sqlite
    database = reader.read(connection)
    try:
        database = replace(database, declared=read_declared(connection))
    except DatabaseError as error:
        skipped = SkippedCheck(f"Drift is unknown: temporary tables can't be created ({str(error).strip()}).")
        database = replace(database, skipped_checks=(*database.skipped_checks, skipped))
    for replica in settings.REPLICAS:
        database = _add_use(database, connections[replica])
    return database


def _add_use(database: Database, replica: BaseDatabaseWrapper) -> Database:
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
            name: index.with_use_of(indexes[name]) if name in indexes else index
            for name, index in database.indexes.items()
        },
        servers=(*database.servers, replica.alias),
    )

"""The catalogue: the database's tables and indexes with their sizes and use, beside the declared indexes."""

from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError, connections

from ops.index_health.catalog import postgresql, sqlite
from ops.index_health.catalog.expected import read_declared
from ops.index_health.catalog.models import CatalogIndex, CatalogTable, Database, ForeignKey, Key
from ops.index_health.catalog.replicas import add_use
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
        database = add_use(database, connections[replica])
    return database

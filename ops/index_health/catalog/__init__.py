"""What stands in the database: its tables and indexes with their sizes and use, read once for all checks."""

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
    """The schema with its sizes, its use on this server and the replicas, and what the models declare.

    It reads catalogues and no rows, except on SQLite, which has to count them.
    """
    connection = connections[alias]
    reader = postgresql if connection.vendor == "postgresql" else sqlite
    database = reader.read(connection)
    try:
        database = replace(database, declared=read_declared(connection))
    except DatabaseError as error:
        why = str(error).strip()
        skipped_checks = SkippedCheck(
            f"What the models declare could not be compared: no temporary tables can be made ({why})."
        )
        database = replace(database, skipped_checks=(*database.skipped_checks, skipped_checks))
    for replica in settings.REPLICAS:
        database = add_use(database, connections[replica])
    return database

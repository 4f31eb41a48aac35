"""Use on replicas: each server counts what it is asked itself."""

from dataclasses import replace

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog import postgresql
from ops.index_health.catalog.models import CatalogIndex, Database
from ops.index_health.findings import SkippedCheck


def add_use(database: Database, replica: BaseDatabaseWrapper) -> Database:
    """The database with the scans of one replica added; they are counted since the later of the two beginnings."""
    try:
        since, indexes = postgresql.read_counted_since(replica), postgresql.read_indexes(replica)
    except DatabaseError as error:
        said = SkippedCheck(f"{replica.alias} could not be asked which indexes it uses: {str(error).strip()}")
        return replace(database, counted_since=None, skipped_checks=(*database.skipped_checks, said))
    return replace(
        database,
        counted_since=database.counted_since and max(database.counted_since, since),
        indexes={
            name: _both(index, indexes[name]) if name in indexes else index for name, index in database.indexes.items()
        },
        servers=(*database.servers, replica.alias),
    )


def _both(here: CatalogIndex, there: CatalogIndex) -> CatalogIndex:
    return replace(
        here,
        scans=(here.scans or 0) + (there.scans or 0),
        tuples_read=(here.tuples_read or 0) + (there.tuples_read or 0),
        tuples_fetched=(here.tuples_fetched or 0) + (there.tuples_fetched or 0),
        last_scan=max((moment for moment in (here.last_scan, there.last_scan) if moment), default=None),
    )

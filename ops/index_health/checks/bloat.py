"""Indexes that take much more than they need: pages that rows left, or that were split and never filled."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connections

from ops.index_health import remediation
from ops.index_health.bloat_estimation import find_obstacle, measure_swelling
from ops.index_health.catalog import Database
from ops.index_health.findings import Finding, Kind, Unasked
from ops.index_health.formatting import in_bytes


def find(database: Database) -> Iterator[Finding | Unasked]:
    if database.vendor != "postgresql":
        return
    swellings = list(measure_swelling(database))
    for swelling in swellings:
        if swelling.needed is not None and swelling.percent >= settings.INDEX_BLOAT_PERCENT:
            index = swelling.index
            yield Finding(
                Kind.BLOAT,
                index.table,
                index.name,
                f"It takes {in_bytes(index.bytes)} and needs {in_bytes(swelling.needed)}:"
                f" {swelling.percent:.0f} % is air ({'measured' if swelling.measured else 'estimated'}).",
                heals=f"REINDEX INDEX CONCURRENTLY {remediation.quote(index.name)}",
                saves=swelling.wasted,
            )
    if guessed := [swelling for swelling in swellings if not swelling.measured]:
        unknown = [swelling.index.name for swelling in guessed if swelling.needed is None]
        obstacle = find_obstacle(connections[database.alias]) or "they are larger than INDEX_MEASURE_MAX_BYTES"
        yield Unasked(
            f"The bloat of {len(guessed)} indexes is estimated, for {obstacle}."
            + (f" Of these it can't be: {', '.join(unknown)}." if unknown else "")
        )

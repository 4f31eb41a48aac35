"""Indexes that take much more than they need: pages that rows left, or that were split and never filled."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connections

from ops.index_health import remediation
from ops.index_health.bloat_estimation import measure_bloat, measurement_blocker
from ops.index_health.catalog import Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.formatting import in_bytes


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.vendor != "postgresql":
        return
    swellings = list(measure_bloat(database))
    for swelling in swellings:
        if swelling.expected_bytes is not None and swelling.percent >= settings.INDEX_BLOAT_PERCENT:
            index = swelling.index
            yield Finding(
                FindingKind.BLOAT,
                index.table,
                index.name,
                f"It takes {in_bytes(index.bytes)} and needs {in_bytes(swelling.expected_bytes)}:"
                f" {swelling.percent:.0f} % is air ({'measured' if swelling.measured else 'estimated'}).",
                remedy=f"REINDEX INDEX CONCURRENTLY {remediation.quote(index.name)}",
                reclaimable_bytes=swelling.wasted,
            )
    if guessed := [swelling for swelling in swellings if not swelling.measured]:
        unknown = [swelling.index.name for swelling in guessed if swelling.expected_bytes is None]
        obstacle = measurement_blocker(connections[database.alias]) or "they are larger than INDEX_MEASURE_MAX_BYTES"
        yield SkippedCheck(
            f"The bloat of {len(guessed)} indexes is estimated, for {obstacle}."
            + (f" Of these it can't be: {', '.join(unknown)}." if unknown else "")
        )

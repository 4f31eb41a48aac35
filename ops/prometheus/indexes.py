"""Tables and indexes: sizes, use, and what the cheap checks find. PostgreSQL knows it anyway; SQLite would have to read
its whole file, so nothing is said there."""

from collections.abc import Iterable, Iterator

from django.db import connection, models
from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from ops.index_health.catalog import CatalogIndex, CatalogTable, Database, postgresql
from ops.index_health.checks import redundancy, size, vacuum_stats
from ops.index_health.findings import Finding, FindingKind
from ops.index_health.ownership import named_declarations

# Those that need the catalogue alone. Whether an index is unused is for Prometheus to say, over weeks of its scans.
CHECKS = (redundancy.find, vacuum_stats.find, size.find)
FOUND = (
    FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED, FindingKind.FOREIGN_KEY, FindingKind.DEAD_ROWS, FindingKind.STALE_STATISTICS,
    FindingKind.LOW_HOT_RATIO, FindingKind.LARGE,
)  # fmt: skip


def collect() -> Iterator[Metric]:
    if connection.vendor != "postgresql":
        return
    database = postgresql.read(connection)
    yield from _measure_indexes(database.indexes.values())
    yield from _measure_tables(database.tables.values())
    yield from _find(database)


def _measure_indexes(indexes: Iterable[CatalogIndex]) -> Iterator[Metric]:
    sizes = GaugeMetricFamily("crm_index_size_bytes", "Bytes on disk.", labels=["table", "index"])
    scans = CounterMetricFamily("crm_index_scans", "Scans since the server counts.", labels=["table", "index"])
    for index in indexes:
        sizes.add_metric([index.table, index.name], index.bytes)
        scans.add_metric([index.table, index.name], index.scans or 0)
    yield from (sizes, scans)


def _measure_tables(tables: Iterable[CatalogTable]) -> Iterator[Metric]:
    sizes = GaugeMetricFamily("crm_table_size_bytes", "Bytes on disk, without indexes.", labels=["table"])
    rows = GaugeMetricFamily("crm_table_rows", "Rows, by the planner's estimate.", labels=["table"])
    dead = GaugeMetricFamily("crm_table_dead_rows", "Rows that VACUUM has still to clear away.", labels=["table"])
    for table in tables:
        sizes.add_metric([table.name], table.bytes)
        rows.add_metric([table.name], table.rows)
        dead.add_metric([table.name], table.dead_rows or 0)
    yield from (sizes, rows, dead)


def _find(database: Database) -> Iterator[Metric]:
    standing = database.indexes
    declared = {name for name, one in named_declarations().items() if isinstance(one, models.Index)}
    yield GaugeMetricFamily(
        "crm_indexes_missing", "Indexes that the models declare and that do not stand.", len(declared - standing.keys())
    )
    yield GaugeMetricFamily(
        "crm_indexes_invalid",
        "Indexes that a build left behind when it broke. One that is being built is not counted.",
        sum(not index.valid and not index.building for index in standing.values()),
    )
    said = [word for find in CHECKS for word in find(database)]
    kinds = [word.kind for word in said if isinstance(word, Finding) and not word.known]
    findings = GaugeMetricFamily(
        "crm_index_findings", "What manage.py index_report finds, by kind, without what is expected.", labels=["kind"]
    )
    for kind in FOUND:
        findings.add_metric([kind], kinds.count(kind))
    yield findings

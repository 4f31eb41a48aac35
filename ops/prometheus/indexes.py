"""Metrics of tables and indexes: sizes, use and findings of the cheap checks.

Only on PostgreSQL, which keeps these numbers. SQLite would have to read its whole file.
"""

from collections.abc import Iterable, Iterator

from django.db import connection, models
from prometheus_client import Metric
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from ops.index_health import checks
from ops.index_health.catalog import CatalogIndex, CatalogTable, Database, postgresql
from ops.index_health.checks import redundancy, size, vacuum_stats
from ops.index_health.findings import FindingKind
from ops.index_health.ownership import named_declarations

# Checks that read the catalogue only. Prometheus itself finds unused indexes, by the scans of several weeks.
CHECKS = (redundancy.find, vacuum_stats.find, size.find)
FOUND = (
    FindingKind.DUPLICATE, FindingKind.PREFIX, FindingKind.COVERED, FindingKind.FOREIGN_KEY, FindingKind.DEAD_ROWS,
    FindingKind.STALE_STATISTICS, FindingKind.LOW_HOT_RATIO, FindingKind.LARGE,
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
    scans = CounterMetricFamily("crm_index_scans", "Scans since the statistics were reset.", labels=["table", "index"])
    for index in indexes:
        sizes.add_metric([index.table, index.name], index.bytes)
        scans.add_metric([index.table, index.name], index.scans or 0)
    yield from (sizes, scans)


def _measure_tables(tables: Iterable[CatalogTable]) -> Iterator[Metric]:
    sizes = GaugeMetricFamily("crm_table_size_bytes", "Bytes on disk, without indexes.", labels=["table"])
    rows = GaugeMetricFamily("crm_table_rows", "Rows, estimated by the planner.", labels=["table"])
    dead = GaugeMetricFamily("crm_table_dead_rows", "Dead rows that VACUUM has not removed yet.", labels=["table"])
    for table in tables:
        sizes.add_metric([table.name], table.bytes)
        rows.add_metric([table.name], table.rows)
        dead.add_metric([table.name], table.dead_rows or 0)
    yield from (sizes, rows, dead)


def _find(database: Database) -> Iterator[Metric]:
    existing = database.indexes
    declared = {name for name, one in named_declarations().items() if isinstance(one, models.Index)}
    yield GaugeMetricFamily(
        "crm_indexes_missing",
        "Indexes that the models declare and the database lacks.",
        len(declared - existing.keys()),
    )
    yield GaugeMetricFamily(
        "crm_indexes_invalid",
        "Invalid indexes of failed builds, without those being built.",
        sum(database.is_broken(index) for index in existing.values()),
    )
    found, _ = checks.run(CHECKS, database)
    kinds = [finding.kind for finding in found if not finding.known]
    findings = GaugeMetricFamily(
        "crm_index_findings", "Findings of manage.py index_report by kind, without known ones.", labels=["kind"]
    )
    for kind in FOUND:
        findings.add_metric([kind], kinds.count(kind))
    yield findings

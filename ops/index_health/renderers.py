"""A report as text for a terminal, and as JSON for machines."""

from collections.abc import Iterator
from typing import Any

from ops.index_health.catalog import CatalogIndex, CatalogTable, Database
from ops.index_health.checks.size import bytes_per_row, grown_in_month
from ops.index_health.findings import GROUPS, Finding
from ops.index_health.formatting import in_bytes, in_days
from ops.index_health.ownership import is_ours
from ops.index_health.questions import question_of
from ops.index_health.report import Report

LARGEST = 10


def as_lines(report: Report, *, everything: bool = False) -> Iterator[str]:
    """`everything`: what is expected too, all tables, and each index with its use and its question."""
    yield describe_database(report.database)
    shown = report.findings if everything else report.unexpected
    for group, kinds in GROUPS.items():
        found = [finding for finding in shown if finding.kind in kinds]
        if found:
            yield ""
            yield group.upper()
            for finding in found:
                yield from _lines_of(finding)
    yield ""
    yield from _tables(report, limit=None if everything else LARGEST)
    if everything:
        yield ""
        yield from _indexes(report)
    yield ""
    yield from (f"Not asked: {one.message}" for one in report.skipped_checks)
    yield summarise(report, everything=everything)


def describe_database(database: Database) -> str:
    name = "PostgreSQL" if database.vendor == "postgresql" else "SQLite"
    minor = database.version % 10000 if database.vendor == "postgresql" else database.version // 100 % 100
    tables, indexes = database.tables.values(), database.indexes.values()
    counted = f" Use is counted {in_days(database.counted_since)}" if database.counted_since else ""
    servers = f" on {', '.join(database.servers)}." if counted else ""
    return (
        f"{name} {database.version // 10000}.{minor}: {len(tables)} tables with"
        f" {in_bytes(sum(table.bytes for table in tables))}, {len(indexes)} indexes with"
        f" {in_bytes(sum(index.bytes for index in indexes))}.{counted}{servers}"
    )


def summarise(report: Report, *, everything: bool) -> str:
    wrong = len(report.unexpected)
    known = len(report.findings) - wrong
    hidden = "" if everything or not known else f" --all shows {known} more that are known and kept."
    reclaimable_bytes = (
        f" Without what is of no use: {in_bytes(report.reclaimable_bytes)} less." if report.reclaimable_bytes else ""
    )
    return (
        (f"{wrong} finding{'s' if wrong > 1 else ''}." if wrong else "Nothing is wrong.") + reclaimable_bytes + hidden
    )


def as_json(report: Report) -> dict[str, Any]:
    """The shape that `manage.py index_report --json` promises: see its help."""
    database = report.database
    since = database.counted_since
    return {
        "database": {
            "vendor": database.vendor,
            "version": database.version,
            "counted_since": since and since.isoformat(),
            "servers": list(database.servers),
        },
        "totals": {
            "findings": len(report.unexpected),
            "known": len(report.findings) - len(report.unexpected),
            "reclaimable_bytes": report.reclaimable_bytes,
        },
        "findings": [
            {
                "group": next(group for group, kinds in GROUPS.items() if finding.kind in kinds),
                "kind": finding.kind.value,
                "table": finding.table,
                "index": finding.index,
                "message": finding.message,
                "remedy": finding.remedy,
                "reclaimable_bytes": finding.reclaimable_bytes,
                "known": finding.known,
            }
            for finding in report.findings
        ],
        "skipped_checks": [one.message for one in report.skipped_checks],
        "tables": [
            {
                "name": table.name,
                "ours": is_ours(table.name),
                "rows": table.rows,
                "bytes": table.bytes,
                "index_bytes": table.index_bytes,
                "bytes_per_row": round(bytes_per_row(table), 1),
                "grown_in_month": round(grown_in_month(database, table)),
            }
            for table in database.tables.values()
        ],
        "indexes": [
            {
                "name": index.name,
                "table": index.table,
                "definition": index.definition,
                "question": question_of(index.name)[0],
                "asked_by": question_of(index.name)[1],
                "constraint": index.constraint,
                "valid": index.valid,
                "bytes": index.bytes,
                "scans": index.scans,
                "tuples_read": index.tuples_read,
                "tuples_fetched": index.tuples_fetched,
                "last_scan": index.last_scan and index.last_scan.isoformat(),
            }
            for index in database.indexes.values()
        ],
    }


def _lines_of(finding: Finding) -> Iterator[str]:
    where = f"{finding.index} on {finding.table}" if finding.index else finding.table
    known = " (known)" if finding.known else ""
    yield f"  {finding.kind}{known}: {where}. {finding.message}"
    if finding.remedy and not finding.known:
        yield "    → " + finding.remedy.replace("; ", ";\n      ")


def _tables(report: Report, *, limit: int | None) -> Iterator[str]:
    tables = sorted(report.database.tables.values(), key=_whole, reverse=True)[:limit]
    yield f"{'TABLES, LARGEST FIRST':38} {'rows':>13} {'table':>10} {'indexes':>10} {'B/row':>7} {'a month':>10}"
    for table in tables:
        month = grown_in_month(report.database, table)
        yield (
            f"  {table.name:36} {table.rows:13,} {in_bytes(table.bytes):>10} {in_bytes(table.index_bytes):>10}"
            f" {bytes_per_row(table):7,.0f} {in_bytes(month) if month else '–':>10}"
        )


def _whole(table: CatalogTable) -> int:
    return table.bytes + table.index_bytes


def _indexes(report: Report) -> Iterator[str]:
    yield f"{'INDEXES':62} {'size':>10} {'B/row':>6} {'scans':>12} {'read':>14} {'fetched':>14} last use"
    for index in report.database.indexes.values():
        rows = report.database.tables[index.table].rows
        per_row = f"{index.bytes / rows:.0f}" if rows else "–"
        yield (
            f"  {index.name:60} {in_bytes(index.bytes):>10} {per_row:>6} {_figure(index.scans):>12}"
            f" {_figure(index.tuples_read):>14} {_figure(index.tuples_fetched):>14} {_last_use(index)}"
        )
        question, asked_by = question_of(index.name)
        if question:
            yield f"    “{question}” – {asked_by}"


def _figure(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _last_use(index: CatalogIndex) -> str:
    return f"{index.last_scan:%Y-%m-%d}" if index.last_scan else "–"

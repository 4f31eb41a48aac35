"""Index reports as text for a terminal and as JSON."""

from collections.abc import Iterator
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.timezone import now

from ops.index_health.catalog import Database
from ops.index_health.checks.size import grown_in_month
from ops.index_health.findings import GROUPS, Finding
from ops.index_health.ownership import is_product_table, question_of
from ops.index_health.report import Report

LARGEST = 10
FINDING = ("kind", "table", "index", "message", "remedy", "reclaimable_bytes", "known")
MEASURES = ("rows", "bytes", "index_bytes", "bytes_per_row", "grown_in_month")  # unknown on SQLite


def as_lines(report: Report, *, everything: bool = False) -> Iterator[str]:
    """Yield the report's lines. `everything` adds known findings, all tables, and each index with its use."""
    measured = report.database.vendor == "postgresql"
    yield _describe(report.database)
    shown = report.findings if everything else report.open_findings
    for group, kinds in GROUPS.items():
        if found := [finding for finding in shown if finding.kind in kinds]:
            yield from ("", group.upper())
            for finding in found:
                yield from _finding_lines(finding)
    if measured:
        yield ""
        yield from _table_lines(report.database, limit=None if everything else LARGEST)
    if everything:
        yield ""
        yield from _index_lines(report.database)
    yield ""
    yield from (f"Skipped: {one.message}" for one in report.skipped_checks)
    yield _summarize(report, everything=everything)


def as_json(report: Report) -> dict[str, Any]:
    """Return the object that `manage.py index_report --json` documents in its help."""
    database, count = report.database, len(report.open_findings)
    unknown = {} if database.vendor == "postgresql" else dict.fromkeys(MEASURES)
    return {
        "database": _pick(database, "vendor", "version", "counted_since", "servers"),
        "totals": {
            "findings": count,
            "known": len(report.findings) - count,
            "reclaimable_bytes": report.reclaimable_bytes,
        },
        "findings": [{"group": finding.group} | _pick(finding, *FINDING) for finding in report.findings],
        "skipped_checks": [one.message for one in report.skipped_checks],
        "tables": [
            {"name": table.name, "ours": is_product_table(table.name)}
            | _pick(table, "rows", "bytes", "index_bytes")
            | {
                "bytes_per_row": round(table.bytes_per_row, 1),
                "grown_in_month": round(grown_in_month(database, table)),
            }
            | unknown
            for table in database.tables.values()
        ],
        "indexes": [
            _pick(index, "name", "table", "definition")
            | dict(zip(("question", "asked_by"), question_of(index.name), strict=True))
            | _pick(index, "constraint", "valid")
            | {"bytes": index.bytes or None}
            | _pick(index, "scans", "tuples_read", "tuples_fetched", "last_scan")
            for index in database.indexes.values()
        ],
    }


def _pick(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _describe(database: Database) -> str:
    tables, indexes = database.tables.values(), database.indexes.values()
    if database.vendor == "sqlite":
        return f"SQLite: {len(tables)} tables, {len(indexes)} indexes."
    use = ""
    if since := database.counted_since:
        use = (
            f" Use is counted since {since:%Y-%m-%d %H:%M} UTC, for {(now() - since).days} days,"
            f" on {', '.join(database.servers)}."
        )
    return (
        f"PostgreSQL {database.version // 10000}.{database.version % 10000}: {len(tables)} tables with"
        f" {filesizeformat(sum(table.bytes for table in tables))}, {len(indexes)} indexes with"
        f" {filesizeformat(sum(index.bytes for index in indexes))}.{use}"
    )


def _summarize(report: Report, *, everything: bool) -> str:
    count = len(report.open_findings)
    known = len(report.findings) - count
    summary = f"{count} finding{'' if count == 1 else 's'}." if count else "No findings."
    if report.reclaimable_bytes:
        summary += f" The remedies free {filesizeformat(report.reclaimable_bytes)}."
    if known and not everything:
        summary += f" --all shows {known} more that are known and kept on purpose."
    return summary


def _finding_lines(finding: Finding) -> Iterator[str]:
    place = f"{finding.index} on {finding.table}" if finding.index else finding.table
    known = " (known)" if finding.known else ""
    yield f"  {finding.kind}{known}: {place}. {finding.message}"
    if finding.remedy and not finding.known:
        yield "    → " + finding.remedy.replace("; ", ";\n      ")


def _table_lines(database: Database, *, limit: int | None) -> Iterator[str]:
    yield f"{'TABLES, LARGEST FIRST':38} {'rows':>13} {'table':>10} {'indexes':>10} {'B/row':>7} {'a month':>10}"
    for table in sorted(database.tables.values(), key=lambda table: -table.total_bytes)[:limit]:
        month = grown_in_month(database, table)
        yield (
            f"  {table.name:36} {table.rows:13,} {filesizeformat(table.bytes):>10}"
            f" {filesizeformat(table.index_bytes):>10} {table.bytes_per_row:7,.0f}"
            f" {filesizeformat(month) if month else '–':>10}"
        )


def _index_lines(database: Database) -> Iterator[str]:
    yield f"{'INDEXES':62} {'size':>10} {'B/row':>6} {'scans':>12} {'read':>14} {'fetched':>14} last use"
    for index in database.indexes.values():
        size = filesizeformat(index.bytes) if index.bytes else "–"
        per_row = f"{per_row:.0f}" if (per_row := database.bytes_per_row(index)) else "–"
        last_use = f"{index.last_scan:%Y-%m-%d}" if index.last_scan else "–"
        yield (
            f"  {index.name:60} {size:>10} {per_row:>6} {_number(index.scans):>12}"
            f" {_number(index.tuples_read):>14} {_number(index.tuples_fetched):>14} {last_use}"
        )
        question, asked_by = question_of(index.name)
        if question:
            yield f"    “{question}” – {asked_by}"


def _number(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"

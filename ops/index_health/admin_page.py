"""Data for the admin page: findings by group, the largest tables, and the sorted list of indexes."""

from collections.abc import Callable
from typing import Any

from ops.index_health.catalog import CatalogIndex
from ops.index_health.findings import GROUPS
from ops.index_health.ownership import question_of
from ops.index_health.report import Report

MAX_TABLES = 12  # in the chart, where smaller tables would not be visible

DESCRIPTIONS = {
    "drift": "The database differs from the models: a migration is missing or failed.",
    "redundant": "Another index answers the same queries, or a foreign key has no index.",
    "use": "No query has used these since the server began to count.",
    "bloat": "Indexes with empty space, dead rows and outdated statistics.",
    "questions": "Queries that are not answered through their index.",
    "size": "Large enough to archive old rows or to partition the table.",
}
Row = dict[str, Any]
COLUMNS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "name": ("Index", lambda row: row["index"].name),
    "table": ("Table", lambda row: row["index"].table),
    "size": ("Size", lambda row: -row["index"].bytes),
    "per_row": ("Bytes per row", lambda row: -row["per_row"]),
    "scans": ("Scans", lambda row: row["index"].scans or 0),
    "last_use": ("Last use", lambda row: (row["index"].last_scan is not None, row["index"].last_scan)),
}
"""The columns of the list of indexes: the title and the key to sort by."""


def make_page(full_report: Report, *, sort: str, table: str) -> dict[str, Any]:
    """Return the template's context, with the indexes sorted by a column, of one table if it is given.

    `tables` are the largest of the database, even if the report covers one table.

    Raises:
        UnknownTable: the database has no such table.
    """
    report = full_report.of_table(table) if table else full_report
    tables = sorted(full_report.database.tables.values(), key=lambda table: -table.total_bytes)[:MAX_TABLES]
    indexes = report.database.indexes.values()
    rows: list[Row] = [
        {"index": index, "per_row": report.database.bytes_per_row(index), "purpose": _describe_purpose(index)}
        for index in indexes
    ]
    return {
        "report": report,
        "groups": [
            (name, DESCRIPTIONS[name], [finding for finding in report.open_findings if finding.group == name])
            for name in GROUPS
        ],
        "known": [finding for finding in report.findings if finding.known],
        "tables": tables,
        "largest_table": max((table.total_bytes for table in tables), default=0),
        "indexes": sorted(rows, key=lambda row: (COLUMNS[sort][1](row), row["index"].name)),
        "largest_index": max((index.bytes for index in indexes), default=0),
        "bytes": sum(index.bytes for index in indexes),
        "columns": [(name, title) for name, (title, _) in COLUMNS.items()],
        "sort": sort,
        "table": table,
    }


def _describe_purpose(index: CatalogIndex) -> str:
    """Return the index's question or its constraint; empty for other indexes of Django and libraries."""
    question, _ = question_of(index.name)
    if question or index.primary:
        return question or "Primary key."
    return f"Rejects a second row with the same {', '.join(index.columns)}." if index.unique else ""

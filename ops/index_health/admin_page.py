"""Data for the admin page: findings by group, the largest tables, and the sorted list of indexes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ops.index_health.catalog import CatalogIndex, CatalogTable, Database
from ops.index_health.findings import GROUPS, Finding
from ops.index_health.questions import question_of
from ops.index_health.report import Report, UnknownTable

MAX_TABLES = 12  # in the chart, where smaller tables would not be visible

DESCRIPTIONS = {
    "drift": "The database differs from the models: a migration is missing or failed.",
    "redundant": "Another index answers the same queries, or a foreign key has no index.",
    "use": "No query has used these since the server began to count.",
    "bloat": "Indexes with empty space, dead rows and outdated statistics.",
    "questions": "Queries that are not answered through their index.",
    "size": "Large enough to archive old rows or to partition the table.",
}


class InvalidParameter(ValueError):
    """A query parameter of the page is invalid. The message names it."""


@dataclass(frozen=True)
class Group:
    """The open findings of one group."""

    name: str
    description: str
    findings: list[Finding]


@dataclass(frozen=True)
class TableRow:
    """A table in the chart. Widths are percentages of the largest table with its indexes."""

    table: CatalogTable
    width: float
    index_width: float


@dataclass(frozen=True)
class IndexRow:
    """An index in the list. The width is a percentage of the largest index."""

    index: CatalogIndex
    width: float
    bytes_per_row: float
    purpose: str


@dataclass(frozen=True)
class SortColumn:
    """A sortable column of the list."""

    name: str
    title: str
    sort_key: Callable[[IndexRow], Any]


COLUMNS = {
    column.name: column
    for column in (
        SortColumn("name", "Index", lambda row: row.index.name),
        SortColumn("table", "Table", lambda row: row.index.table),
        SortColumn("size", "Size", lambda row: -row.index.bytes),
        SortColumn("per_row", "Bytes per row", lambda row: -row.bytes_per_row),
        SortColumn("scans", "Scans", lambda row: row.index.scans or 0),
        SortColumn("last_use", "Last use", lambda row: (row.index.last_scan is not None, row.index.last_scan)),
    )
}


@dataclass(frozen=True)
class Page:
    """The page's data. `tables` are the largest of the database, even if the report covers one table."""

    report: Report
    groups: list[Group]
    known: list[Finding]
    tables: list[TableRow]
    indexes: list[IndexRow]
    columns: tuple[SortColumn, ...] = tuple(COLUMNS.values())

    @property
    def bytes(self) -> int:
        """The size of all indexes."""
        return sum(index.bytes for index in self.report.database.indexes.values())


def make_page(full_report: Report, *, sort: str, table: str) -> Page:
    """Return the page with its indexes sorted by a column, for one table if it is given.

    Raises:
        InvalidParameter: the column or table doesn't exist.
    """
    if sort not in COLUMNS:
        raise InvalidParameter(f"sort: {sort!r} must be one of {', '.join(COLUMNS)}.")
    try:
        report = full_report.of_table(table) if table else full_report
    except UnknownTable as error:
        raise InvalidParameter(f"table: {error}") from error
    return Page(
        report=report,
        groups=[
            Group(name, DESCRIPTIONS[name], [finding for finding in report.open_findings if finding.kind in kinds])
            for name, kinds in GROUPS.items()
        ],
        known=[finding for finding in report.findings if finding.known],
        tables=_table_rows(full_report.database),
        indexes=sorted(_index_rows(report.database), key=lambda row: (COLUMNS[sort].sort_key(row), row.index.name)),
    )


def _table_rows(database: Database) -> list[TableRow]:
    largest = sorted(database.tables.values(), key=lambda table: -table.total_bytes)[:MAX_TABLES]
    unit = max((table.total_bytes for table in largest), default=0) / 100 or 1
    return [TableRow(table, table.bytes / unit, table.index_bytes / unit) for table in largest]


def _index_rows(database: Database) -> list[IndexRow]:
    unit = max((index.bytes for index in database.indexes.values()), default=0) / 100 or 1
    return [
        IndexRow(
            index,
            width=index.bytes / unit,
            bytes_per_row=index.bytes / rows if (rows := database.tables[index.table].rows) else 0,
            purpose=_purpose(index),
        )
        for index in database.indexes.values()
    ]


def _purpose(index: CatalogIndex) -> str:
    """Return the index's question or its constraint; empty for other indexes of Django and libraries."""
    question, _ = question_of(index.name)
    if question or index.primary:
        return question or "Primary key."
    return f"Rejects a second row with the same {', '.join(index.columns)}." if index.unique else ""

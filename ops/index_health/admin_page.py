"""The report as a page shows it: findings by group, tables by size, indexes in the order that was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ops.index_health.catalog import CatalogIndex, CatalogTable, Database
from ops.index_health.findings import GROUPS, Finding
from ops.index_health.questions import question_of
from ops.index_health.report import Report, UnknownTable

MAX_TABLES = 12  # in the chart: beside the large ones the others could not be seen

ABOUT = {
    "drift": "The database is not what the models declare: a migration is missing, or broke off.",
    "redundant": "Every write pays for these, and another index answers the same; or one is lacking.",
    "use": "Nothing was found through these for as long as use is counted.",
    "bloat": "Space that holds nothing, and statistics that are out of date.",
    "questions": "Asked, and not answered through an index.",
    "size": "So large that partitions are worth a thought, or an archive for what is old.",
}


class BadChoice(ValueError):
    """A parameter of the page that makes no sense. The words name it."""


@dataclass(frozen=True)
class Group:
    """The findings of one group that are not expected."""

    name: str
    about: str
    findings: list[Finding]


@dataclass(frozen=True)
class TableRow:
    """A table in the chart; widths in per cent of the largest one with its indexes."""

    table: CatalogTable
    width: float
    index_width: float


@dataclass(frozen=True)
class IndexRow:
    """An index in the list; its width in per cent of the largest one. `answers` is its question, or what it guards."""

    index: CatalogIndex
    width: float
    bytes_a_row: float
    answers: str


@dataclass(frozen=True)
class SortColumn:
    """A column of the list, which it can be sorted by."""

    name: str
    title: str
    place: Callable[[IndexRow], Any]


COLUMNS = {
    column.name: column
    for column in (
        SortColumn("name", "Index", lambda row: row.index.name),
        SortColumn("table", "Table", lambda row: row.index.table),
        SortColumn("size", "Size", lambda row: -row.index.bytes),
        SortColumn("per_row", "Bytes a row", lambda row: -row.bytes_a_row),
        SortColumn("scans", "Scans", lambda row: row.index.scans or 0),
        SortColumn("last_use", "Last use", lambda row: (row.index.last_scan is not None, row.index.last_scan)),
    )
}


@dataclass(frozen=True)
class Page:
    """`tables` are the largest of the database, whichever the report is about."""

    report: Report
    groups: list[Group]
    known: list[Finding]
    tables: list[TableRow]
    indexes: list[IndexRow]
    columns: tuple[SortColumn, ...] = tuple(COLUMNS.values())

    @property
    def bytes(self) -> int:
        """Of all indexes."""
        return sum(index.bytes for index in self.report.database.indexes.values())


def make_page(whole: Report, *, sort: str, table: str) -> Page:
    """The report with its indexes sorted by a column, narrowed to one table where one is named.

    Raises:
        BadChoice: there is no such column or table.
    """
    if sort not in COLUMNS:
        raise BadChoice(f"sort: {sort!r} is none of: {', '.join(COLUMNS)}.")
    try:
        report = whole.of_table(table) if table else whole
    except UnknownTable as error:
        raise BadChoice(f"table: {error}") from error
    return Page(
        report=report,
        groups=[
            Group(name, ABOUT[name], [finding for finding in report.unexpected if finding.kind in kinds])
            for name, kinds in GROUPS.items()
        ],
        known=[finding for finding in report.findings if finding.known],
        tables=_chart(list(whole.database.tables.values())),
        indexes=sorted(_list(report.database), key=lambda row: (COLUMNS[sort].place(row), row.index.name)),
    )


def _chart(tables: list[CatalogTable]) -> list[TableRow]:
    def whole(table: CatalogTable) -> int:
        return table.bytes + table.index_bytes

    largest = sorted(tables, key=whole, reverse=True)[:MAX_TABLES]
    most = max(map(whole, largest), default=0) or 1
    return [TableRow(table, table.bytes / most * 100, table.index_bytes / most * 100) for table in largest]


def _list(database: Database) -> list[IndexRow]:
    most = max((index.bytes for index in database.indexes.values()), default=0) or 1
    return [
        IndexRow(
            index,
            width=index.bytes / most * 100,
            bytes_a_row=_divide(index.bytes, database.tables[index.table].rows),
            answers=_what_it_answers(index),
        )
        for index in database.indexes.values()
    ]


def _divide(size: int, rows: int) -> float:
    """0 where it says nothing, for the table is empty."""
    return size / rows if rows else 0


def _what_it_answers(index: CatalogIndex) -> str:
    """Its question, or what it guards; empty for those of others that guard nothing."""
    question, _ = question_of(index.name)
    if question or index.primary:
        return question or "Guards the primary key."
    return f"Guards that no two rows have the same {', '.join(index.columns)}." if index.unique else ""

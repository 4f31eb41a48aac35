"""CSV and XLSX files from rows of texts."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from crm.services.exports.cells import defuse

MAX_XLSX_ROWS = 200_000  # a larger file takes minutes to write, and to open
XLSX_ROWS_AT_ONCE = 10_000  # rows of a sheet that one request writes, in a second or two
MAX_CELL = 32_767  # characters, Excel's limit

Row = Sequence[str]


def csv_of(rows: Iterable[Row]) -> bytes:
    """Return rows as CSV: UTF-8, without a byte order mark, formulas defused."""
    lines = _Lines()
    csv.writer(lines).writerows([defuse(cell) for cell in row] for row in rows)
    return "".join(lines).encode()


class _Lines(list[str]):
    """Rows of CSV, ended as PostgreSQL's COPY ends them.

    Before Python 3.13, `csv` quotes a carriage return only if lines end with one.
    """

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


class Sheet:
    """An XLSX file in the making. Its cells are texts: a spreadsheet neither runs nor changes them."""

    def __init__(self, book: Any, header: Row) -> None:
        self._sheet = book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._number = 0
        self.add([header])

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                self._sheet.write_string(self._number, column, _cut(cell))
            self._number += 1


@contextmanager
def sheet_in(file: IO[bytes], header: Row) -> Iterator[Sheet]:
    """Let rows be added to a sheet, and write it to the file at the end. The file is then read from its start."""
    import xlsxwriter  # type: ignore[import-untyped]  # two MB, which few processes need

    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, plain) as book:
        yield Sheet(book, header)
    file.seek(0)


def write_xlsx(header: Row, pages: Iterable[Iterable[Row]]) -> IO[bytes]:
    """Return a temporary file with a sheet."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the response
    with sheet_in(file, header) as sheet:
        for page in pages:
            sheet.add(page)
    return file


def _cut(cell: str) -> str:
    return cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 1]}…"

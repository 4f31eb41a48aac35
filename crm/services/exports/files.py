"""CSV and XLSX files from rows of texts."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

import xlsxwriter  # type: ignore[import-untyped]

from crm.services.exports.cells import defuse

MAX_XLSX_ROWS = 200_000  # a larger file takes minutes to write, and to open
MAX_CELL = 32_767  # characters, Excel's limit

Row = Sequence[str]


def csv_of(rows: Iterable[Row]) -> bytes:
    """Return rows as CSV: UTF-8, without a byte order mark, formulas defused."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([defuse(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def csv_pages(header: Row, pages: Iterable[Iterable[Row]]) -> Iterator[bytes]:
    """Yield a CSV file page by page."""
    yield csv_of([header])
    for page in pages:
        yield csv_of(page)


def write_xlsx(header: Row, pages: Iterable[Iterable[Row]]) -> IO[bytes]:
    """Return a temporary file with a sheet. Its cells are texts: a spreadsheet neither runs nor changes them."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the response
    plain = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, plain) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(chain([header], chain.from_iterable(pages))):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, _cut(cell))
    file.seek(0)
    return file


def _cut(cell: str) -> str:
    return cell if len(cell) <= MAX_CELL else f"{cell[: MAX_CELL - 1]}…"

"""Rows of Excel files (.xlsx), as the text that Excel shows."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from crm.services.imports.reading.csv_records import MAX_CELL, Record
from crm.services.imports.reading.faults import FileFault, UnreadableFile

WORKBOOK = "xl/workbook.xml"
# Of what is in the archive, unpacked. A list of a million rows has about 300 MB.
MAX_PARTS = 5_000
MAX_BYTES = 2 << 30
MAX_STRINGS = 256 << 20  # openpyxl keeps this part in memory
MAX_RATIO = 400  # of a part's size to its packed size: XML of repeated rows reaches about 100
SMALL = 1 << 20
EXACT = 10**15  # from here on a number in Excel has lost digits
NUMBERED_STRINGS = "xl/sharedStrings.xml"
# What openpyxl raises for parts that aren't as they should be.
DAMAGES = (
    zipfile.BadZipFile, AttributeError, EOFError, IndexError, KeyError, OSError, SyntaxError, TypeError, ValueError,
    zlib.error,
)  # fmt: skip


def is_spreadsheet(path: Path) -> bool:
    """Return whether this is an Excel file.

    Raises:
        UnreadableFile: it is an archive of another kind, or one that unpacks to far more than it should.
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if WORKBOOK not in archive.namelist():
            raise UnreadableFile(
                FileFault.BINARY,
                "This is a ZIP archive, or a file of another spreadsheet program. Upload a CSV or .xlsx file.",
            )
        _check_sizes(parts)
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                _check_no_entities(archive, part)
    return True


def read_sheet(path: Path) -> Iterator[Record]:
    """Yield the rows of the first sheet that has any, with Excel's row numbers; none that is blank."""
    from openpyxl import load_workbook  # takes a tenth of each process's start and memory, for one kind of file

    # Opened here, since openpyxl looks at the endings of paths.
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parts that openpyxl leaves out: pictures, validation, styles
        try:
            workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                rows = _rows(sheet)
                if (first := next(rows, None)) is not None:
                    yield first
                    yield from rows
                    return
        except UnreadableFile:
            raise
        except DAMAGES as error:
            raise _damaged() from error


def _rows(sheet: Any) -> Iterator[Record]:
    """Yield the rows of a sheet, as wide as the header or wider. Excel leaves out empty cells at the end of a row."""
    sheet.reset_dimensions()  # some programs write wrong ones
    width = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [value if type(value) is str else text_of(value) for value in values]
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if any(cells):
            if len(max(cells, key=len)) > MAX_CELL:
                raise UnreadableFile(
                    FileFault.CELL_TOO_LONG, f"Row {number:,} has a cell of more than {MAX_CELL:,} characters."
                )
            width = width or len(cells)
            yield number, cells + [""] * (width - len(cells))


def text_of(value: Any) -> str:
    """Return a cell's value as text. No digit of a number is made up."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < EXACT:
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
    return str(value)


def _check_sizes(parts: list[zipfile.ZipInfo]) -> None:
    """Compare the sizes that the archive states. More than a part's stated size is never unpacked."""
    too_dense = any(part.file_size > SMALL and part.file_size > part.compress_size * MAX_RATIO for part in parts)
    if too_dense or len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_BYTES:
        raise UnreadableFile(
            FileFault.ZIP_BOMB, "The Excel file unpacks to far more than a list of contacts has. Save it as CSV."
        )
    if any(part.filename == NUMBERED_STRINGS and part.file_size > MAX_STRINGS for part in parts):
        raise UnreadableFile(
            FileFault.TOO_LARGE, "The Excel file has too much text to be read at once. Save it as CSV."
        )


def _check_no_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse documents that define entities, which may expand to any size. Excel writes none."""
    try:
        with archive.open(part) as file:
            head = file.read(4096)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise _damaged() from error  # or has a password
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise UnreadableFile(FileFault.ZIP_BOMB, "The Excel file defines entities, which Excel never does.")


def _damaged() -> UnreadableFile:
    return UnreadableFile(
        FileFault.BAD_EXCEL, "The Excel file is damaged, or has a password. Save it again, or save it as CSV."
    )

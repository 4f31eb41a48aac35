"""Files of contacts: a CSV or Excel file as a table, read row by row."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from crm.services.imports.reading.csv_records import Record, read_dialect, read_records
from crm.services.imports.reading.faults import FileFault, UnreadableFile
from crm.services.imports.reading.headers import read_header
from crm.services.imports.reading.spreadsheets import is_spreadsheet, read_sheet
from crm.services.imports.reading.text_encodings import detect_encoding

MAX_BYTES = 500 << 20


@dataclass(frozen=True)
class Table:
    """A file's columns and rows. Encoding and delimiter are empty for an Excel file."""

    name: str
    header: list[str]
    kind: Literal["csv", "xlsx"]
    encoding: str
    delimiter: str
    _records: Callable[[], Iterator[Record]]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows with the numbers that a spreadsheet shows; the header's is 1. Blank rows are left out.

        A row with too few or too many cells is yielded as it is: `people_of` rejects it. Cells are text; nothing in
        them is evaluated, a formula neither.

        Raises:
            UnreadableFile: the rest of the file can't be read.
        """
        return islice(self._records(), 1, None)

    def sample(self, count: int = 20) -> list[list[str]]:
        """Return the first rows, for suggestions and a preview."""
        return [cells for _, cells in islice(self.rows(), count)]


def open_table(path: Path, name: str) -> Table:
    """Return the table in a file. `name` is what its owner calls it; its ending decides nothing.

    Raises:
        UnreadableFile: the file isn't a table with a header and a row.
    """
    size = path.stat().st_size
    if not size:
        raise UnreadableFile(FileFault.EMPTY, "The file is empty.")
    if size > MAX_BYTES:
        raise UnreadableFile(FileFault.TOO_LARGE, f"The file has more than {MAX_BYTES >> 20} MB. Split it.")
    if is_spreadsheet(path):
        return _table(name, "xlsx", "", "", partial(read_sheet, path))
    dialect = read_dialect(path, detect_encoding(path))
    return _table(name, "csv", dialect.encoding, dialect.delimiter, partial(read_records, path, dialect))


def _table(
    name: str, kind: Literal["csv", "xlsx"], encoding: str, delimiter: str, records: Callable[[], Iterator[Record]]
) -> Table:
    first = list(islice(records(), 2))
    if not first:
        raise UnreadableFile(FileFault.EMPTY, "The file is empty.")
    header = read_header(first[0][1])
    if len(first) == 1:
        raise UnreadableFile(FileFault.NO_ROWS, "The file has a header, and no rows below it.")
    if first[0][1] == first[1][1]:
        raise UnreadableFile(FileFault.HEADER_TWICE, "The file has its header twice. Delete one of the two rows.")
    return Table(name, header, kind, encoding, delimiter, records)

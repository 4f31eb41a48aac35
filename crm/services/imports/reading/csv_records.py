"""Records of CSV files: read in constant memory, with the row numbers that a spreadsheet shows."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

from crm.services.imports.reading.delimiters import ROWS, choose_delimiter
from crm.services.imports.reading.faults import FileFault, UnreadableFile
from crm.services.imports.reading.text_encodings import open_text

MAX_CELL = 131_072  # characters: the limit of the csv module, and four times Excel's
MAX_LINE = 8 * MAX_CELL
BLANK = ',;|" \t\r\n'
MAX_MENDED = 200  # unclosed quotation marks, each of which may cost a reading of MAX_CELL

Record = tuple[int, list[str]]


class Dialect(NamedTuple):
    """The encoding and delimiter of a text file, and the number of lines before its header."""

    encoding: str
    delimiter: str
    skipped: int


def read_dialect(path: Path, encoding: str) -> Dialect:
    """Return the dialect of a text file. Raises UnreadableFile if it is blank."""
    with open_text(path, encoding) as file:
        sample = _sample(_lines(file))
    if not any(line.strip(BLANK) for line in sample):
        raise UnreadableFile(FileFault.EMPTY, "The file is empty.")
    # Excel's own way to tell itself the delimiter. It shows the line to nobody.
    if sample[0].casefold().startswith("sep=") and len(declared := sample[0].rstrip("\r\n")) == 5:
        return Dialect(encoding, declared[4], skipped=1)
    return Dialect(encoding, choose_delimiter(sample), skipped=0)


def read_records(path: Path, dialect: Dialect) -> Iterator[Record]:
    """Yield the records of a text file with their numbers from 1, the header's; none that is blank.

    A quotation mark that isn't closed would swallow the rows after it. Its line becomes a record of its own, with a
    wrong number of cells, if a line after it has the right number.

    Raises:
        UnreadableFile: a cell is too long, or too many quotation marks aren't closed.
    """
    with open_text(path, dialect.encoding) as file:
        lines = _lines(file)
        for _ in range(dialect.skipped):
            next(lines, "")
        yield from _Records(lines, dialect.delimiter)


def _sample(lines: Iterator[str]) -> list[str]:
    """Return lines with the first rows, as long as one line may be."""
    sample: list[str] = []
    length = 0
    for line in islice(lines, ROWS * 4):
        sample.append(line)
        length += len(line)
        if length > MAX_LINE:
            break
    return sample


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines; read no more than MAX_LINE of any."""
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise UnreadableFile(FileFault.CELL_TOO_LONG, f"A line has more than {MAX_LINE:,} characters.")
        yield line


class _Records:
    """Records of lines, with the lines of the present one kept for a second reading."""

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._source, self._delimiter = lines, delimiter
        self._spaces = re.compile(rf'" +(?={re.escape(delimiter)}|[\r\n]|$)')
        self._kept: list[str] = []  # lines of the present record
        self._again: deque[str] = deque()  # lines to be read again
        self._columns = self._mended = 0

    def __iter__(self) -> Iterator[Record]:
        kept, number = self._kept, 0
        reader = self._read()
        while True:
            number += 1
            mended: list[str] = []
            try:
                cells = next(reader, None)
            except csv.Error:
                cells = mended = self._mend(number, is_fatal=True)
            else:
                if cells is None:
                    return
                if len(kept) > 1 and ((is_bad := self._is_badly_quoted()) or len(cells) != self._columns):
                    mended = self._mend(number, is_bad=is_bad)
            if mended:
                cells, reader = mended, self._read()  # another reader: the former may be at the file's end
            kept.clear()
            if any(cells):
                self._columns = self._columns or len(cells)
                yield number, cells

    def _read(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self._delimiter)

    def _feed(self) -> Iterator[str]:
        keep, again = self._kept.append, self._again
        while True:
            if again:
                line = again.popleft()
            else:
                try:
                    line = next(self._source)
                except StopIteration:
                    return
            keep(line)
            yield line

    def _mend(self, number: int, *, is_bad: bool = False, is_fatal: bool = False) -> list[str]:
        """Return the first line of a broken record as a record; the others will be read again.

        Returns nothing if the record has a wrong number of cells, but no unclosed quotation mark. Raises UnreadableFile
        if the record has none and is too long (`is_fatal`).
        """
        lines = self._kept
        is_unclosed = self._columns > 1 and (
            is_bad or any(len(self._parse(line)) == self._columns for line in lines[1:4])
        )
        if not is_unclosed:
            if is_fatal:
                raise UnreadableFile(
                    FileFault.CELL_TOO_LONG,
                    f"Row {number:,} has a cell of more than {MAX_CELL:,} characters. "
                    "Perhaps a quotation mark isn't closed there.",
                )
            return []
        self._mended += 1
        if self._mended > MAX_MENDED:
            raise UnreadableFile(
                FileFault.QUOTES,
                f"Row {number:,} is one of more than {MAX_MENDED} with a quotation mark that isn't closed. "
                "Save the file again as CSV.",
            )
        self._again.extendleft(reversed(lines[1:]))
        return [lines[0].rstrip("\r\n")]

    def _is_badly_quoted(self) -> bool:
        """Return whether a quotation mark ends a cell in the middle, as the next mark does after an unclosed one.

        Spaces after a mark are nothing.
        """
        lines = [self._spaces.sub('"', line) for line in self._kept]
        try:
            for _ in csv.reader(lines, delimiter=self._delimiter, strict=True):
                pass
        except csv.Error:
            return True
        return False

    def _parse(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._delimiter), [])
        except csv.Error:
            return []

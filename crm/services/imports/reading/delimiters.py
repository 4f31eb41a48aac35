"""Delimiters of CSV files: the one that gives the same number of columns in each row."""

import csv
from itertools import islice

CANDIDATES = (",", ";", "\t", "|")  # in this order where several fit
ROWS = 50


def choose_delimiter(lines: list[str]) -> str:
    """Return the delimiter of a file that begins with these lines."""
    return max(CANDIDATES, key=lambda delimiter: _fit(lines, delimiter))


def _fit(lines: list[str], delimiter: str) -> tuple[bool, float, int]:
    """Return whether the header has several columns, the share of rows with as many cells, and the columns."""
    try:
        counts = [len(cells) for cells in islice(csv.reader(lines, delimiter=delimiter), ROWS) if any(cells)]
    except csv.Error:  # a cell that is too long
        counts = []
    if not counts:
        return False, 0, 0
    columns = counts[0]
    return columns > 1, sum(count == columns for count in counts) / len(counts), columns

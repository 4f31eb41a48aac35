"""The file of an import's rejected rows: as they were read, with the reasons in a column of its own."""

import csv
import io
from collections.abc import Iterator

from crm.choices import RowVerdict
from crm.db.tenancy import tenant_autocommit
from crm.models import Import, ImportRow

# Its name is known to the import: the file can be mended and sent again as it is.
REASON_COLUMN = "Reason for the rejection"
PAGE = 1_000  # rows in memory
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rejected_csv(*, source: Import) -> Iterator[bytes]:
    """Yield the file, in UTF-8 with the mark by which Excel knows it. Its columns are those of the imported file."""
    header = [name for name in source.header if name != REASON_COLUMN]
    width = len(header)
    place = source.header.index(REASON_COLUMN) if REASON_COLUMN in source.header else None
    yield "\ufeff".encode() + _line([*header, REASON_COLUMN])
    with tenant_autocommit(source.company_id):
        for n, reasons, cells in _rejected(source):
            if place is not None and len(cells) > place:
                cells = cells[:place] + cells[place + 1 :]
            # Rows with too many cells keep them: the reason stands where it is looked for.
            padded = [*cells[:width], *[""] * (width - len(cells))]
            yield _line([*map(_harmless, padded), f"Row {n}: {reasons}", *map(_harmless, cells[width:])])


def _rejected(source: Import) -> Iterator[tuple[int, str, list[str]]]:
    """Yield each row with a rejected person once: its number, the reasons, the cells."""
    after = 0
    while True:
        rows = ImportRow.objects.filter(source=source, verdict=RowVerdict.REJECTED, n__gt=after).order_by("n", "person")
        numbers = sorted(set(rows.values_list("n", flat=True)[:PAGE]))
        if not numbers:
            return
        rejected: dict[int, list[str]] = {}
        for n, column, detail in rows.filter(n__lte=numbers[-1]).values_list("n", "column", "detail"):
            rejected.setdefault(n, []).append(f"{column}: {detail}" if column else detail)
        cells = dict(ImportRow.objects.filter(source=source, n__in=numbers, person=1).values_list("n", "cells"))
        for n in numbers:
            yield n, " ".join(rejected[n]), cells[n] or []
        after = numbers[-1]


def _line(cells: list[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula. Reading takes the mark away again."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell

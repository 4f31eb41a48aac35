"""Disk and vacuum by the number of calls, and what the slope says about a hundred million."""

from collections.abc import Mapping
from time import monotonic
from typing import NamedTuple

from benchmarks.database import execute, fetch
from benchmarks.report import Chapter, number

FAR = 100_000_000
GIB = 1024**3
SIZES = """
SELECT pg_database_size(current_database()), pg_total_relation_size('calls'),
       (SELECT max(pg_relation_size(indexrelid)) FROM pg_index WHERE indrelid = 'calls'::regclass)
"""

ABOUT = f"""*A vacuum* reads all rows of `calls`, as the one against wraparound does at first. The last row isn't
measured: it goes on in a straight line from the two largest sizes to {FAR:,} calls."""


class Extent(NamedTuple):
    """Bytes of the database, of `calls` with its indexes and of its largest index; seconds of a vacuum of `calls`."""

    database: float
    calls: float
    largest_index: float
    vacuum: float

    def row(self, name: str) -> list[str]:
        *sizes, vacuum = self
        return [name, *(number(size / GIB) for size in sizes), number(vacuum)]


def measure_extent() -> Extent:
    [(database, calls, index)] = fetch(SIZES)
    begin = monotonic()
    execute("VACUUM (DISABLE_PAGE_SKIPPING) calls")
    return Extent(database, calls, index, monotonic() - begin)


def add_extents(chapter: Chapter, extents: Mapping[int, Extent]) -> None:
    """Add the table, with the line to FAR if there are two sizes."""
    sizes = sorted(extents)
    rows = [extents[size].row(f"{size:,}") for size in sizes]
    if len(sizes) > 1:
        first, last = sizes[-2:]
        steps = (FAR - last) / (last - first)
        line = (late + steps * (late - early) for early, late in zip(extents[first], extents[last], strict=True))
        rows.append(Extent(*line).row(f"{FAR:,}, in a straight line"))
    head = ["calls", "database, GiB", "`calls`, GiB", "its largest index, GiB", "a vacuum of `calls`, s"]
    chapter.parts += ["### Disk and vacuum", ABOUT]
    chapter.add_table(head, rows)

"""Estimated duration of a step, from the table's size: an order of magnitude."""

from ops.safe_migrations.lock_levels import Effect, Work
from ops.safe_migrations.table_stats import Size

# On the careful side of docs/benchmarks.md, where all indexes of a million calls take 10 s: a live server is busier.
SCANNED_BYTES_PER_S = 300e6
INDEXED_ROWS_PER_S = 1e6
WRITTEN_ROWS_PER_S = 100e3


def estimate_seconds(effect: Effect, size: Size) -> float:
    """Return the seconds of work, without the wait for older transactions."""
    scan = size.bytes / SCANNED_BYTES_PER_S
    match effect.work:
        case Work.SCAN:
            return scan
        case Work.BUILD:  # a concurrent build reads the table twice
            return 2 * scan + size.rows / INDEXED_ROWS_PER_S
        case Work.REWRITE | Work.ROWS:
            return scan + size.rows / WRITTEN_ROWS_PER_S
        case _:
            return 0.0

"""About how long a step takes, from the table's size. Orders of magnitude: so that a minute isn't taken for an hour."""

from ops.safe_migrations.lock_levels import Effect, Work
from ops.safe_migrations.table_stats import Size

# On the careful side of docs/benchmarks.md, where every index of a million calls and what follows from them is built in
# 10 s: on a database in use others want the machine, too.
SCANNED_BYTES_PER_S = 300e6
INDEXED_ROWS_PER_S = 1e6
WRITTEN_ROWS_PER_S = 100e3


def estimate_seconds(effect: Effect, size: Size) -> float:
    """For the work alone: nobody knows how long it waits for old transactions."""
    scan = size.bytes / SCANNED_BYTES_PER_S
    match effect.work:
        case Work.SCAN:
            return scan
        case Work.BUILD:  # concurrently the table is read twice
            return 2 * scan + size.rows / INDEXED_ROWS_PER_S
        case Work.REWRITE | Work.ROWS:
            return scan + size.rows / WRITTEN_ROWS_PER_S
        case _:
            return 0.0

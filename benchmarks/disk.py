"""Bytes on disk of tables and indexes, by row."""

from typing import NamedTuple

from benchmarks.database import fetch
from tests.db.catalogue import product_tables


class TableSize(NamedTuple):
    """Rows and bytes of a table: of the rows themselves, and of the indexes by name."""

    rows: int
    heap: int
    indexes: dict[str, int]

    @property
    def total(self) -> int:
        return self.heap + sum(self.indexes.values())

    @property
    def row_bytes(self) -> float:
        """Bytes of a row that stays, 0 for tables whose rows do not."""
        return self.total / self.rows if self.rows else 0.0


def read_table_sizes() -> dict[str, TableSize]:
    """Return the sizes of the product's tables, the largest first. Rows are those of the last ANALYZE."""
    indexes: dict[str, dict[str, int]] = {}
    for table, index, size in fetch(
        "SELECT relname, indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes"
    ):
        indexes.setdefault(table, {})[index] = size
    found = fetch(
        "SELECT relname, greatest(reltuples, 0)::bigint, pg_table_size(oid) FROM pg_class"
        " WHERE relkind = 'r' AND relname = ANY(%s)",
        [[*product_tables()]],
    )
    sizes = {table: TableSize(rows, heap, indexes.get(table, {})) for table, rows, heap in found}
    return dict(sorted(sizes.items(), key=lambda item: -item[1].total))

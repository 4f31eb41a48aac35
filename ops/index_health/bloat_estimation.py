"""How much of an index is air: measured where extension pgstattuple may be asked, and estimated where not.

What an index needs is what it would take after a REINDEX.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, log2

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog import CatalogIndex, CatalogTable, Database
from ops.index_health.extensions import find_extension
from ops.index_health.planner import explain

PAGE = 8192  # bytes
USABLE = PAGE - 40  # without the header of a page and what an access method keeps at its end
HASH_FILL = 0.75
HASH_ENTRY = 20  # bytes, with the pointer to it
ONE_PHASE = 512  # buckets up to which a hash index doubles at once; from there on in four steps
POINTER, HEADER, ROW_ID = 4, 8, 6  # bytes of a B-tree's entry besides its key, and of a row's id

STRUCTURE = """
SELECT c.relname, c.reltuples,
    coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 90),
    NOT i.indisunique AND i.indnatts = i.indnkeyatts AND i.indpred IS NULL AND NOT EXISTS (
        SELECT FROM unnest(i.indclass) AS key JOIN pg_opclass o ON o.oid = key
        WHERE NOT EXISTS (SELECT FROM pg_amproc WHERE amprocfamily = o.opcfamily AND amprocnum = 4)
    )
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.reltuples >= 0
    AND has_table_privilege(i.indrelid, 'SELECT')
"""


@dataclass(frozen=True)
class IndexBloat:
    """An index and the bytes that it needs; None where they can be neither measured nor estimated."""

    index: CatalogIndex
    expected_bytes: int | None
    measured: bool

    @property
    def wasted(self) -> int:
        return 0 if self.expected_bytes is None else max(self.index.bytes - self.expected_bytes, 0)

    @property
    def percent(self) -> float:
        return 100 * self.wasted / self.index.bytes


@dataclass(frozen=True)
class Structure:
    """What the catalogue says of an index: its entries, how full its pages are made, and whether equal keys share."""

    entries: float
    fillfactor: int
    shares: bool

    def counting(self, table: CatalogTable) -> "Structure":
        """With the rows that came since the last VACUUM or ANALYZE: it is full of them, and not of air."""
        share = self.entries / table.rows if table.rows else 1
        return replace(self, entries=share * max(table.rows, table.live_rows or 0))


def measurement_blocker(connection: BaseDatabaseWrapper) -> str:
    """Why nothing can be measured, as the end of a sentence; empty where it can."""
    schema = find_extension(connection, "pgstattuple")
    if schema is None:
        return "extension pgstattuple is not installed"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege(%s, 'EXECUTE'), current_user", [f"{schema}.pgstatindex(regclass)"]
        )
        allowed, role = cursor.fetchone()
    return "" if allowed else f"role {role} is no member of pg_stat_scan_tables, which may call pgstattuple"


def measure_bloat(database: Database) -> Iterator[IndexBloat]:
    """Each valid B-tree and hash index of at least INDEX_BLOAT_MIN_BYTES.

    To measure is to read the whole index: those over INDEX_MEASURE_MAX_BYTES are estimated.
    """
    connection = connections[database.alias]
    measures = not measurement_blocker(connection)
    structures = _read_structures(connection)
    for index in database.indexes.values():
        if not index.valid or index.method not in ("btree", "hash") or index.bytes < settings.INDEX_BLOAT_MIN_BYTES:
            continue
        structure = structures.get(index.name)
        if structure is None:
            yield IndexBloat(index, None, measured=False)
        elif measures and index.bytes <= settings.INDEX_MEASURE_MAX_BYTES:
            btree = index.method == "btree"
            expected_bytes = _measure_btree(connection, index, structure) if btree else _measure_hash(connection, index)
            yield IndexBloat(index, expected_bytes, measured=True)
        else:
            plain = index.method == "btree" and all(map(str.isidentifier, _columns(index)))
            structure = structure.counting(database.tables[index.table])
            yield IndexBloat(index, _estimate_btree(connection, index, structure) if plain else None, measured=False)


def _read_structures(connection: BaseDatabaseWrapper) -> dict[str, Structure]:
    with connection.cursor() as cursor:
        cursor.execute(STRUCTURE)
        return {name: Structure(*facts) for name, *facts in cursor.fetchall()}


def _measure_btree(connection: BaseDatabaseWrapper, index: CatalogIndex, structure: Structure) -> int:
    """A leaf is as full as the fillfactor after a REINDEX; pages that were emptied are gone."""
    schema = find_extension(connection, "pgstattuple")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT internal_pages, leaf_pages, avg_leaf_density FROM {schema}.pgstatindex(%s::regclass)",  # noqa: S608
            [connection.ops.quote_name(index.name)],
        )
        internal, leaves, density = cursor.fetchone()
    expected_bytes = ceil(leaves * density / structure.fillfactor) if leaves else 0
    return (1 + internal + expected_bytes) * PAGE


def _measure_hash(connection: BaseDatabaseWrapper, index: CatalogIndex) -> int:
    """Buckets follow from the entries. Overflow pages hold equal keys, which a REINDEX brings no nearer."""
    schema = find_extension(connection, "pgstattuple")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT overflow_pages, bitmap_pages, live_items FROM {schema}.pgstathashindex(%s::regclass)",  # noqa: S608
            [connection.ops.quote_name(index.name)],
        )
        overflow, bitmaps, entries = cursor.fetchone()
    buckets = _round_up_buckets(entries / (USABLE * HASH_FILL // HASH_ENTRY))
    return (1 + buckets + overflow + bitmaps) * PAGE


def _round_up_buckets(wanted: float) -> int:
    power = 2 ** ceil(log2(max(wanted, 2)))
    if power <= ONE_PHASE:
        return power
    step = power // 8  # a quarter of what the last doubling added
    return ceil(wanted / step) * step


def _estimate_btree(connection: BaseDatabaseWrapper, index: CatalogIndex, structure: Structure) -> int:
    """Rather too much than too little, for a false alarm costs a REINDEX.

    The widths are asked of the planner: `pg_stats` hides the statistics of a table from whomever row-level security
    binds, and the planner uses them for anybody. It may guess far too few distinct values, so keys are held to be
    shared only where hardly one row in a hundred has its own, and then by a tenth as many rows as that.
    """
    quote = connection.ops.quote_name
    table = quote(index.table)
    columns = _columns(index)
    rows, width = _expect(connection, f"SELECT {', '.join(map(quote, columns))} FROM {table}")  # noqa: S608
    entry = POINTER + ceil((HEADER + width) / 8) * 8
    if structure.shares:
        distinct = 1.0
        for column in columns:
            distinct *= _expect(connection, f"SELECT {quote(column)} FROM {table} GROUP BY 1")[0]  # noqa: S608
        if distinct < rows / 100:
            entry = ROW_ID + ceil(entry / 10)
    leaves = structure.entries * entry / (USABLE * structure.fillfactor / 100)
    above = leaves * (entry + HEADER) / USABLE
    return ceil(1 + leaves + above) * PAGE


def _columns(index: CatalogIndex) -> list[str]:
    return [*index.columns, *index.includes]


def _expect(connection: BaseDatabaseWrapper, query: str) -> tuple[int, int]:
    """How many rows the planner expects, and how many bytes each."""
    plan = explain(connection, query)
    return plan["Plan Rows"], plan["Plan Width"]

"""Tables, indexes and foreign keys as the checks see them, on either database."""

from dataclasses import dataclass, replace
from datetime import datetime

from crm.db.index_definitions import read_storage_parameters, reword_definition, split_condition
from ops.index_health.findings import SkippedCheck


@dataclass(frozen=True)
class Key:
    """A column or expression of an index, as the database writes it. Defaults are empty."""

    expression: str
    opclass: str = ""
    collation: str = ""
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class CatalogIndex:
    """An index with its definition, its size in bytes and its use since `Database.counted_since`.

    `definition` has the form of crm.db.introspection, without names. `constraint` is the name of the constraint that
    the index enforces, or empty. An index that is `building` is not valid yet. Scans and tuples are sums over all
    servers, or None if they are unknown. A `partitioned` index is that of a partitioned table; `parent` is the one that
    this one is attached to. `referring` are the foreign keys that rely on the index to reject duplicate rows.
    """

    name: str
    table: str
    method: str
    keys: tuple[Key, ...]
    includes: tuple[str, ...]
    condition: str
    unique: bool
    primary: bool
    constraint: str
    valid: bool
    definition: str
    building: bool = False
    bytes: int = 0
    scans: int | None = None
    tuples_read: int | None = None
    tuples_fetched: int | None = None
    last_scan: datetime | None = None
    partitioned: bool = False
    parent: str = ""
    referring: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """The definition in one wording, without storage parameters, which don't change what the index finds."""
        return reword_definition(self.definition)

    @property
    def storage(self) -> dict[str, str]:
        return read_storage_parameters(self.definition)

    @property
    def terms(self) -> frozenset[str]:
        """The terms that AND combines in the condition, in one wording."""
        return split_condition(self.condition)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(key.expression for key in self.keys)

    @property
    def is_constraint(self) -> bool:
        """True if the index rejects rows: it is needed even if no query uses it."""
        return self.unique or bool(self.constraint)

    def with_use_of(self, other: "CatalogIndex") -> "CatalogIndex":
        """Return the index with the use of the same index on another server added."""
        return replace(
            self,
            scans=(self.scans or 0) + (other.scans or 0),
            tuples_read=(self.tuples_read or 0) + (other.tuples_read or 0),
            tuples_fetched=(self.tuples_fetched or 0) + (other.tuples_fetched or 0),
            last_scan=max((moment for moment in (self.last_scan, other.last_scan) if moment), default=None),
        )


@dataclass(frozen=True)
class CatalogTable:
    """A table with its size in bytes (without its indexes) and its statistics; zeros and None on SQLite.

    `extension` is the one that made the table. `partition_key` is empty unless the table has `partitions`. A table is
    `busy` if another session holds a lock on it or its indexes as for a build: it may be one by another role, which
    hides its progress.

    `rows` is an estimate; a table that was never analyzed counts with many small rows. `inserted`, `updated`,
    `hot_updated` and `deleted` are rows since `Database.counted_since`.
    """

    name: str
    rows: int = 0
    bytes: int = 0
    index_bytes: int = 0
    live_rows: int | None = None
    dead_rows: int | None = None
    inserted: int | None = None
    updated: int | None = None
    hot_updated: int | None = None
    deleted: int | None = None
    changed_since_analyze: int | None = None
    last_vacuum: datetime | None = None
    last_analyze: datetime | None = None
    extension: str = ""
    partition_key: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    busy: bool = False

    @property
    def total_bytes(self) -> int:
        return self.bytes + self.index_bytes

    @property
    def bytes_per_row(self) -> float:
        """The bytes per row, with all indexes; 0 for an empty table."""
        return self.total_bytes / self.rows if self.rows else 0


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key constraint: `columns` of `table` refer to `target`."""

    name: str
    table: str
    columns: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Database:
    """The schema at one moment, with the declared indexes (see expected.py).

    `servers` are the aliases of the servers whose use is counted, the primary first. `counted_since` is the latest time
    at which one of them began to count. `skipped_checks` are facts that could not be read.
    """

    alias: str
    vendor: str
    version: int
    counted_since: datetime | None
    tables: dict[str, CatalogTable]
    indexes: dict[str, CatalogIndex]
    foreign_keys: tuple[ForeignKey, ...] = ()
    declared: dict[str, CatalogIndex] | None = None
    servers: tuple[str, ...] = ()
    skipped_checks: tuple[SkippedCheck, ...] = ()

    def is_broken(self, index: CatalogIndex) -> bool:
        """Return whether the index was left INVALID for certain: nobody builds it, or may be building it."""
        return not (index.valid or index.building or self.tables[index.table].busy)

    def of_table(self, table: str) -> list[CatalogIndex]:
        return [index for index in self.indexes.values() if index.table == table]

    def bytes_per_row(self, index: CatalogIndex) -> float:
        """Return the index's bytes per row of its table; 0 for an empty table."""
        rows = self.tables[index.table].rows
        return index.bytes / rows if rows else 0

"""Tables, indexes and foreign keys as every check sees them, on either database."""

from dataclasses import dataclass
from datetime import datetime

from ops.index_health.findings import SkippedCheck


@dataclass(frozen=True)
class Key:
    """One column or expression of an index, as the database words it. What is the default is empty."""

    expression: str
    opclass: str = ""
    collation: str = ""
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class CatalogIndex:
    """An index with its definition, its size in bytes and its use since `Database.counted_since`.

    `definition` is worded like that of crm.db.introspection, without names. `constraint` is the name of the constraint
    that it guards, or empty. One that is `building` is not valid yet. Scans and tuples are those of all servers
    together; figures that none knows are None.
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

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(key.expression for key in self.keys)

    @property
    def guards(self) -> bool:
        """Without it rows could be written that must not be."""
        return self.unique or bool(self.constraint)


@dataclass(frozen=True)
class CatalogTable:
    """A table with its size in bytes (without its indexes) and what autovacuum knows of it.

    `rows` is the planner's estimate. `inserted`, `updated`, `hot_updated` and `deleted` are rows since
    `Database.counted_since`.
    """

    name: str
    rows: int
    bytes: int
    index_bytes: int
    live_rows: int | None = None
    dead_rows: int | None = None
    inserted: int | None = None
    updated: int | None = None
    hot_updated: int | None = None
    deleted: int | None = None
    changed_since_analyze: int | None = None
    last_vacuum: datetime | None = None
    last_analyze: datetime | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A reference that the database enforces: `columns` of `table` name a row of `target`."""

    name: str
    table: str
    columns: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Database:
    """The application's schema at one moment: what stands, and what the models declare (see declared.py).

    `servers` are the aliases whose use is counted, the primary first; `counted_since` is the latest of their
    beginnings. `skipped_checks` is what could not be read, and why.
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

    def of_table(self, table: str) -> list[CatalogIndex]:
        return [index for index in self.indexes.values() if index.table == table]

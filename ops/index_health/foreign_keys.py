"""Indexes that serve foreign keys: they find the referring rows when a referenced row is deleted."""

from ops.index_health.catalog import CatalogIndex, Database, ForeignKey
from ops.index_health.pairing import kept_indexes

COMPANY = {"company_id", "tenant_id"}
METHODS = {"btree", "hash"}  # BRIN reads whole ranges of pages for one row, and the others don't find equal numbers


def referring_columns(key: ForeignKey) -> set[str]:
    """Return the key's columns without the company, which composite keys repeat and which selects too many rows."""
    return set(key.columns) - COMPANY or set(key.columns)


def serves(index: CatalogIndex, key: ForeignKey) -> bool:
    """Return whether the index starts with the key's columns and contains every row that refers to another."""
    if index.table != key.table or not index.valid or index.method not in METHODS:
        return False
    referring, leading = referring_columns(key), index.columns[: len(key.columns)]
    starts = leading[:1] == tuple(referring)[:1] or referring < set(leading) == set(key.columns)
    return starts and index.terms <= {f"{column} IS NOT NULL" for column in referring}


def needed_indexes(database: Database) -> set[str]:
    """Return the names of the indexes that alone serve a foreign key, beside no used index or constraint that stays."""
    needed: set[str] = set()
    kept = kept_indexes(database)
    for key in database.foreign_keys:
        serving = [index for index in database.of_table(key.table) if serves(index, key)]
        serving = [index for index in serving if kept is None or index.name in kept]
        if not any(index.scans or index.is_constraint for index in serving):
            needed.update(index.name for index in serving)
    return needed


def unserved(database: Database) -> list[ForeignKey]:
    """Return the foreign keys without an index, one for each referring column, the one with fewest columns."""
    by_column: dict[tuple[str, str], ForeignKey] = {}
    for key in sorted(database.foreign_keys, key=lambda key: len(key.columns)):
        if not any(serves(index, key) for index in database.of_table(key.table)):
            by_column.setdefault((key.table, min(referring_columns(key))), key)
    return list(by_column.values())

"""Indexes that serve foreign keys: they find the referring rows when a referenced row is deleted."""

from ops.index_health.catalog import CatalogIndex, Database, ForeignKey

COMPANY = {"company_id", "tenant_id"}


def referring_columns(key: ForeignKey) -> set[str]:
    """Return the key's columns without the company, which composite keys repeat and which selects too many rows."""
    return set(key.columns) - COMPANY or set(key.columns)


def serves(index: CatalogIndex, key: ForeignKey) -> bool:
    """Return whether the index starts with the key's columns and contains every row that refers to another."""
    if index.table != key.table or not index.valid:
        return False
    referring, leading = referring_columns(key), index.columns[: len(key.columns)]
    starts = leading[:1] == tuple(referring)[:1] or referring < set(leading) == set(key.columns)
    condition = index.condition.strip("()").upper()
    return starts and (not condition or condition in {f"{column} IS NOT NULL".upper() for column in referring})


def needed_indexes(database: Database) -> set[str]:
    """Return the names of the indexes that alone serve a foreign key, beside no used index or constraint."""
    needed: set[str] = set()
    for key in database.foreign_keys:
        serving = [index for index in database.of_table(key.table) if serves(index, key)]
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

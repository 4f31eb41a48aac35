"""Which foreign keys an index serves: those through which the rows that point at a row are found before it goes."""

from collections.abc import Iterable

from ops.index_health.catalog import CatalogIndex, Database, ForeignKey

COMPANY = {"company_id", "tenant_id"}


def pointing_columns(key: ForeignKey) -> set[str]:
    """Without the company, which a composite key repeats: one company has too many rows for it to be of help."""
    return set(key.columns) - COMPANY or set(key.columns)


def serves(index: CatalogIndex, key: ForeignKey) -> bool:
    """It begins with the key's columns, and holds every row that points anywhere."""
    if index.table != key.table or not index.valid:
        return False
    leading = index.columns[: len(key.columns)]
    begins = leading[:1] == tuple(pointing_columns(key))[:1] or pointing_columns(key) < set(leading) == set(key.columns)
    return begins and _is_complete(index, key)


def needed_indexes(database: Database) -> set[str]:
    """Those that serve a foreign key which nothing else serves that will stay: no used index, and no constraint's."""
    needed: set[str] = set()
    for key in database.foreign_keys:
        serving = [index for index in database.of_table(key.table) if serves(index, key)]
        if not any(index.scans or index.guards for index in serving):
            needed.update(index.name for index in serving)
    return needed


def unserved(database: Database, indexes: Iterable[CatalogIndex]) -> list[ForeignKey]:
    """One for each column that points: of a plain key and a composite one over the same column, the plain one."""
    indexes = list(indexes)
    by_column: dict[tuple[str, str], ForeignKey] = {}
    for key in sorted(database.foreign_keys, key=lambda key: len(key.columns)):
        if not any(serves(index, key) for index in indexes):
            by_column.setdefault((key.table, min(pointing_columns(key))), key)
    return list(by_column.values())


def _is_complete(index: CatalogIndex, key: ForeignKey) -> bool:
    plain = index.condition.strip("()").upper()
    return not plain or plain in {f"{column} IS NOT NULL".upper() for column in pointing_columns(key)}

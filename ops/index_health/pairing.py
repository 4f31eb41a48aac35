"""Pairs of a declared index and the existing one that stands for it."""

from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.ownership import named_declarations


def pair_indexes(database: Database) -> dict[str, CatalogIndex]:
    """Return the existing index of each declared one: that of its name, else an equal one that has no other use.

    Names of unique fields depend on the migration that made them; SQLite numbers its implicit indexes.
    """
    declared = database.declared or {}
    pairs = {
        name: database.indexes[name] for name in declared if name in database.indexes and name in named_declarations()
    }
    for name, index in declared.items():
        if name in pairs:
            continue
        taken = {existing.name for existing in pairs.values()}
        equals = [
            existing
            for existing in database.of_table(index.table)
            if existing.name not in taken and (existing.name == name or existing.name not in declared)
            if existing.valid and existing.form == index.form
        ]
        # A constraint's twin must not take its place: foreign keys refer to the constraint.
        equals.sort(
            key=lambda existing: (
                existing.name != name,
                bool(existing.constraint) != bool(index.constraint),
                not existing.referring,
                existing.name,
            )
        )
        if equals:
            pairs[name] = equals[0]
        elif name in database.indexes and name not in taken and not name.startswith("sqlite_autoindex_"):
            pairs[name] = database.indexes[name]
    return pairs


def is_same(existing: CatalogIndex, declared: CatalogIndex) -> bool:
    """Return whether both find the same rows by the same keys. Storage parameters may differ."""
    return (existing.table, existing.form) == (declared.table, declared.form)


def kept_indexes(database: Database) -> set[str] | None:
    """Return the names of the existing indexes that are as declared, or None if drift is unknown."""
    if database.declared is None:
        return None
    return {
        existing.name
        for name, existing in pair_indexes(database).items()
        if existing.valid and is_same(existing, database.declared[name])
    }

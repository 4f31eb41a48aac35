"""Remedies: statements that create, replace and drop an index without blocking writers.

On PostgreSQL each statement with CONCURRENTLY must be sent alone, outside a transaction.
"""

import re
from itertools import chain, count

from django.db import models

from crm.db.grammar import NO_NAMES
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.ownership import models_by_table, named_declarations

NAME_LENGTH = 63
KEYWORDS = NO_NAMES | {"index"}  # reserved by SQLite


def create(database: Database, index: CatalogIndex) -> str:
    """Return the statements for an index. A unique constraint gets its index first, built while others write.

    Returns an empty string if PostgreSQL can't have the index.
    """
    if not can_exist(database, index):
        return ""
    if index.constraint and database.vendor == "postgresql":
        if _is_partitioned(database, index.table):  # PostgreSQL refuses USING INDEX
            return _add_constraint_at_once(index)
        built = build(database, index.table, index.name, index.definition)
        return f"{built}; {add_constraint(database, index, index.name)}"
    return build(database, index.table, index.name, index.definition)


def can_exist(database: Database, index: CatalogIndex) -> bool:
    """Return whether the table may have the index: a unique one must contain the key of the partitions."""
    table = database.tables.get(index.table)
    return not (index.unique and table and set(table.partition_key) - set(index.columns))


def drop(database: Database, index: CatalogIndex) -> str:
    """Return the statement, or an empty string for an index that PostgreSQL doesn't drop alone."""
    if index.referring or index.parent:
        return ""
    if index.constraint and database.vendor == "postgresql":
        return f"ALTER TABLE {quote(index.table)} DROP CONSTRAINT {quote(index.constraint)}"
    return f"DROP INDEX{'' if index.partitioned else _concurrently(database)} {quote(index.name)}"


def replace(database: Database, existing: CatalogIndex, declared: CatalogIndex) -> str:
    """Return statements that build the new index before they drop the old one, so that there always is one.

    Returns an empty string if the old one can't be dropped, or PostgreSQL can't have the new one.
    """
    if existing.table != declared.table:
        aside = rename(existing.name, free_name(database, f"{existing.name}_new"))
        return f"{aside}; {create(database, declared)}"
    if not drop(database, existing) or not can_exist(database, declared):
        return ""
    if database.vendor == "sqlite" or (declared.constraint and _is_partitioned(database, declared.table)):
        return f"{drop(database, existing)}; {create(database, declared)}"
    name = free_name(database, f"{declared.name}_new")
    adopt = add_constraint(database, declared, name) if declared.constraint else rename(name, declared.name)
    return f"{build(database, declared.table, name, declared.definition)}; {drop(database, existing)}; {adopt}"


def reindex(index: CatalogIndex) -> str:
    return f"REINDEX INDEX CONCURRENTLY {quote(index.name)}"


def complete(database: Database, index: CatalogIndex) -> str:
    """Return statements that build and attach the missing parts of a partitioned index, which becomes valid by them."""
    attached = {part.table for part in database.indexes.values() if part.parent == index.name}
    missing = [part for part in database.tables[index.table].partitions if part not in attached]
    return "; ".join(_attach(database, part, index.name, index.definition) for part in missing)


def set_storage(existing: CatalogIndex, declared: dict[str, str]) -> str:
    """Return statements that give an index the declared storage parameters, and no others."""
    name = quote(existing.name)
    changed = [f"{key} = {value}" for key, value in declared.items() if existing.storage.get(key) != value]
    surplus = [key for key in existing.storage if key not in declared]
    statements = [f"ALTER INDEX {name} SET ({', '.join(changed)})"] if changed else []
    statements += [f"ALTER INDEX {name} RESET ({', '.join(surplus)})"] if surplus else []
    return "; ".join(statements)


def rename(name: str, to: str) -> str:
    return f"ALTER INDEX {quote(name)} RENAME TO {quote(to)}"


def drop_or_remove_operation(database: Database, index: CatalogIndex) -> str:
    """Return the migration operation for a declared index, which would be missing after a DROP, else the DROP."""
    declaration = named_declarations().get(index.name)
    if declaration is not None:
        meta = models_by_table()[index.table]._meta
        operation = "RemoveIndexConcurrently" if isinstance(declaration, models.Index) else "RemoveConstraint"
        return f'{operation}("{meta.model_name}", "{index.name}") in a migration of {meta.app_label}'
    return drop(database, index)


def quote(name: str) -> str:
    """Return a name as SQL reads it: in quotes unless it is plain and no keyword that can't be a name."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in KEYWORDS
    return name if plain else '"' + name.replace('"', '""') + '"'


def free_name(database: Database, name: str) -> str:
    """Return the name, cut to PostgreSQL's limit, with a number if an index or table has it."""
    candidates = chain([name[:NAME_LENGTH]], (f"{name[: NAME_LENGTH - 3]}_{number}" for number in count(2)))
    return next(one for one in candidates if one not in database.indexes and one not in database.tables)


def build(database: Database, table: str, name: str, definition: str) -> str:
    """Return the statements for an index of this definition. Partitions get theirs one by one, while others write."""
    create, on = (
        ("CREATE UNIQUE", definition.removeprefix("UNIQUE "))
        if definition.startswith("UNIQUE ")
        else ("CREATE", definition)
    )
    if not _is_partitioned(database, table):
        return f"{create} INDEX{_concurrently(database)} {quote(name)} ON {quote(table)} {on}"
    parts = [_attach(database, part, name, definition) for part in database.tables[table].partitions]
    return "; ".join([f"{create} INDEX {quote(name)} ON ONLY {quote(table)} {on}", *parts])


def add_constraint(database: Database, index: CatalogIndex, name: str) -> str:
    """Return the statement that makes an index of this name into the constraint that `index` is declared for."""
    if _is_partitioned(database, index.table):
        return ""
    kind = "PRIMARY KEY" if index.primary else "UNIQUE"
    return f"ALTER TABLE {quote(index.table)} ADD CONSTRAINT {quote(index.constraint)} {kind} USING INDEX {quote(name)}"


def _add_constraint_at_once(index: CatalogIndex) -> str:
    kind, columns = "PRIMARY KEY" if index.primary else "UNIQUE", ", ".join(map(quote, index.columns))
    return f"ALTER TABLE {quote(index.table)} ADD CONSTRAINT {quote(index.constraint)} {kind} ({columns})"


def _attach(database: Database, partition: str, name: str, definition: str) -> str:
    """Return the statements that build a partition's part of the index of this name, and attach it."""
    part = free_name(database, f"{partition}_{name}")
    return f"{build(database, partition, part, definition)}; ALTER INDEX {quote(name)} ATTACH PARTITION {quote(part)}"


def _is_partitioned(database: Database, table: str) -> bool:
    return table in database.tables and bool(database.tables[table].partition_key)


def _concurrently(database: Database) -> str:
    return " CONCURRENTLY" if database.vendor == "postgresql" else ""

"""Remedies: statements that create, replace and drop an index without blocking writers.

On PostgreSQL each statement with CONCURRENTLY must be sent alone, outside a transaction.
"""

import re

from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.ownership import models_by_table, named_declarations

NAME_LENGTH = 63


def create(database: Database, index: CatalogIndex) -> str:
    """Return the statements for an index. A unique constraint gets its index first, built while others write."""
    if index.constraint and database.vendor == "postgresql":
        return f"{_build(database, index, index.name)}; {_add_constraint(index, index.name)}"
    return _build(database, index, index.name)


def drop(database: Database, index: CatalogIndex) -> str:
    if index.constraint and database.vendor == "postgresql":
        return f"ALTER TABLE {quote(index.table)} DROP CONSTRAINT {quote(index.constraint)}"
    return f"DROP INDEX{_concurrently(database)} {quote(index.name)}"


def replace(database: Database, existing: CatalogIndex, declared: CatalogIndex) -> str:
    """Return statements that build the new index before they drop the old one, so that there always is one."""
    if existing.table != declared.table:
        return f"{rename(existing.name, _new_name(existing.name))}; {create(database, declared)}"
    if database.vendor == "sqlite":
        return f"{drop(database, existing)}; {create(database, declared)}"
    name = _new_name(declared.name)
    adopt = _add_constraint(declared, name) if declared.constraint else rename(name, declared.name)
    return f"{_build(database, declared, name)}; {drop(database, existing)}; {adopt}"


def rename(name: str, to: str) -> str:
    return f"ALTER INDEX {quote(name)} RENAME TO {quote(to)}"


def drop_or_remove_operation(database: Database, index: CatalogIndex) -> str:
    """Return the migration operation for a declared index, which would be missing after a DROP, else the DROP."""
    if index.name in named_declarations():
        meta = models_by_table()[index.table]._meta
        return f'RemoveIndexConcurrently("{meta.model_name}", "{index.name}") in a migration of {meta.app_label}'
    return drop(database, index)


def quote(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


def _build(database: Database, index: CatalogIndex, name: str) -> str:
    unique = "UNIQUE " if index.unique else ""
    definition = index.definition.removeprefix("UNIQUE ")
    return f"CREATE {unique}INDEX{_concurrently(database)} {quote(name)} ON {quote(index.table)} {definition}"


def _add_constraint(index: CatalogIndex, name: str) -> str:
    kind = "PRIMARY KEY" if index.primary else "UNIQUE"
    return f"ALTER TABLE {quote(index.table)} ADD CONSTRAINT {quote(index.constraint)} {kind} USING INDEX {quote(name)}"


def _concurrently(database: Database) -> str:
    return " CONCURRENTLY" if database.vendor == "postgresql" else ""


def _new_name(name: str) -> str:
    return f"{name[: NAME_LENGTH - len('_new')]}_new"

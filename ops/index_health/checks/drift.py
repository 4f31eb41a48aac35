"""Drift: missing, extra and changed indexes, and the leftovers of failed builds."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connections
from django.db.migrations import AddConstraint, AddIndex, CreateModel, RenameIndex
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.ownership import TABLES_WITHOUT_MODEL, is_framework, models_by_table, named_declarations

REINDEX_COPIES = ("_ccnew", "_ccold")  # suffixes of the copies that REINDEX CONCURRENTLY makes


class Source(NamedTuple):
    """The migration that declares an index, with the command that runs it if it is not applied yet."""

    name: str = "its model"
    remedy: str = ""


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.declared is None:
        return
    sources = _find_sources(database.alias)
    pairs = _pair(database, database.declared)
    for name, declared in database.declared.items():
        existing, source = pairs.get(name), sources.get(name, Source())
        if declared.table in database.tables:
            if existing is None or existing.valid:
                yield from _compare(database, existing, declared, source)
            else:
                yield _not_valid(database, existing, declared, source)
    for table in sorted({index.table for index in database.declared.values()} - database.tables.keys()):
        message = "The table is missing, with all its indexes."
        remedy = f"manage.py migrate {models_by_table()[table]._meta.app_label}"
        yield Finding(FindingKind.MISSING, table, "", message, remedy)
    paired = {existing.name for existing in pairs.values()}
    for name, existing in database.indexes.items():
        if name not in paired and not (existing.table in TABLES_WITHOUT_MODEL and existing.constraint):
            yield _extra(database, existing) if existing.valid else _not_valid(database, existing, None, Source())


def is_leftover(name: str) -> bool:
    """Return whether the index has the name of a copy that REINDEX CONCURRENTLY makes."""
    return name.rstrip("0123456789").endswith(REINDEX_COPIES)


def _describe(index: CatalogIndex) -> str:
    """Return the definition, such as `UNIQUE btree (company_id, phone)`."""
    return index.definition.replace("USING ", "", 1)


def _pair(database: Database, declared: dict[str, CatalogIndex]) -> dict[str, CatalogIndex]:
    """Return the existing index of each declared one: that of its name, else an equal one that has no other use.

    Names of unique fields depend on the migration that made them; SQLite numbers its implicit indexes.
    """
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
            if existing.valid and existing.definition == index.definition
        ]
        equals.sort(key=lambda existing: existing.name != name)
        if equals:
            pairs[name] = equals[0]
        elif name in database.indexes and name not in taken and not name.startswith("sqlite_autoindex_"):
            pairs[name] = database.indexes[name]
    return pairs


def _compare(
    database: Database, existing: CatalogIndex | None, declared: CatalogIndex, source: Source
) -> Iterator[Finding]:
    kind = FindingKind.MISSING
    if existing is None:
        loss = "Nothing rejects duplicate rows" if declared.is_constraint else "Its queries are slower"
        message = f"Declared by {source.name}, but missing from the database: {_describe(declared)}. {loss}."
        remedy = source.remedy or remediation.create(database, declared)
    elif not _is_same(existing, declared):
        kind = FindingKind.CHANGED
        where = f" on {existing.table}" if existing.table != declared.table else ""
        message = f"The database has {_describe(existing)}{where}, but the model declares {_describe(declared)}."
        remedy = remediation.replace(database, existing, declared)
    elif existing.name != declared.name and declared.name in named_declarations():
        message = f"Declared, but the database has it under another name: {existing.name}."
        remedy = remediation.rename(existing.name, declared.name)
    else:
        return
    yield Finding(kind, declared.table, declared.name, message, remedy, known=is_framework(declared.table))


def _is_same(existing: CatalogIndex, declared: CatalogIndex) -> bool:
    return (existing.table, existing.definition) == (declared.table, declared.definition)


def _not_valid(
    database: Database, existing: CatalogIndex, declared: CatalogIndex | None, source: Source
) -> Finding | SkippedCheck:
    """Return the finding about an index that no query uses and every write still pays for."""
    if existing.building:
        return SkippedCheck(f"{existing.name} is being built right now.")
    if declared is None:
        build = "REINDEX CONCURRENTLY" if is_leftover(existing.name) else "An index build"
        message = f"{build} failed and left it INVALID. No model declares it."
        remedy = remediation.drop(database, existing)
    else:
        build = f"Migration {source.name}" if source.remedy else "An index build"
        message = f"{build} failed and left it INVALID. It is declared by {source.name}."
        if declared.unique:
            message += " Remove duplicate rows first, or the build will fail again."
        if _is_same(existing, declared):
            remedy = f"REINDEX INDEX CONCURRENTLY {remediation.quote(existing.name)}"
        else:
            remedy = f"{remediation.drop(database, existing)}; {remediation.create(database, declared)}"
    return Finding(
        FindingKind.INVALID,
        existing.table,
        existing.name,
        message,
        source.remedy or remedy,
        reclaimable_bytes=0 if declared else existing.bytes,
    )


def _extra(database: Database, existing: CatalogIndex) -> Finding:
    table = "" if existing.table in models_by_table() else f", and no model uses table {existing.table}"
    return Finding(
        FindingKind.EXTRA,
        existing.table,
        existing.name,
        f"No model declares it{table}: {_describe(existing)}. If a query needs it, declare it instead.",
        remediation.drop(database, existing),
        reclaimable_bytes=existing.bytes,
        known=is_framework(existing.table),
    )


def _find_sources(alias: str) -> dict[str, Source]:
    """Return the last migration that creates each index or constraint, by the name of the index."""
    loader = MigrationLoader(connections[alias])
    return {
        name: Source(
            f"{app}.{migration}", "" if (app, migration) in loader.applied_migrations else f"manage.py migrate {app}"
        )
        for (app, migration), found in sorted(loader.disk_migrations.items())
        for operation in found.operations
        for name in _created_names(operation)
    }


def _created_names(operation: Operation) -> list[str]:
    if isinstance(operation, AddIndex):
        return [operation.index.name]
    if isinstance(operation, AddConstraint):
        return [operation.constraint.name]
    if isinstance(operation, RenameIndex):
        return [operation.new_name]
    if isinstance(operation, CreateModel):
        return [one.name for kind in ("indexes", "constraints") for one in operation.options.get(kind, [])]
    return []

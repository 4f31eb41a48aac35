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
from ops.index_health.ownership import TABLES_WITHOUT_MODEL, models_by_table, named_declarations, other_maker
from ops.index_health.pairing import is_same, pair_indexes

REINDEX_COPIES = ("_ccnew", "_ccold")  # suffixes of the copies that REINDEX CONCURRENTLY makes


class Source(NamedTuple):
    """The migration that declares an index, with the command that runs it if it is not applied yet."""

    name: str = "its model"
    remedy: str = ""


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.declared is None:
        return
    sources = _find_sources(database.alias)
    pairs = pair_indexes(database)
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
        if name in paired or (existing.table in TABLES_WITHOUT_MODEL and existing.constraint):
            continue
        if not (existing.parent and existing.valid):  # a part of a partitioned index goes and stays with it
            yield _extra(database, existing) if existing.valid else _not_valid(database, existing, None, Source())


def is_leftover(name: str) -> bool:
    """Return whether the index has the name of a copy that REINDEX CONCURRENTLY makes."""
    return name.rstrip("0123456789").endswith(REINDEX_COPIES)


def _describe(index: CatalogIndex) -> str:
    """Return the definition, such as `UNIQUE btree (company_id, phone)`."""
    return index.definition.replace("USING ", "", 1)


def _compare(
    database: Database, existing: CatalogIndex | None, declared: CatalogIndex, source: Source
) -> Iterator[Finding]:
    kind, known = FindingKind.CHANGED, bool(other_maker(database, declared.table))
    if existing is None:
        kind = FindingKind.MISSING
        loss = "Nothing rejects duplicate rows" if declared.is_constraint else "Its queries are slower"
        message = f"Declared by {source.name}, but missing from the database: {_describe(declared)}. {loss}."
        message += _describe_partition_key(database, declared)
        remedy = source.remedy or remediation.create(database, declared)
    elif not is_same(existing, declared):
        where = f" on {existing.table}" if existing.table != declared.table else ""
        message = f"The database has {_describe(existing)}{where}, but the model declares {_describe(declared)}."
        message += _describe_partition_key(database, declared) + _describe_references(existing)
        remedy = remediation.replace(database, existing, declared)
    elif declared.constraint and not existing.constraint:
        message = "The database has a unique index of this definition, but the model declares a constraint."
        remedy = remediation.add_constraint(database, declared, existing.name)
    elif existing.name != declared.name and declared.name in named_declarations():
        kind = FindingKind.MISSING
        message = f"Declared, but the database has it under another name: {existing.name}."
        remedy = remediation.rename(existing.name, declared.name)
    elif existing.storage != declared.storage:
        known = known or not declared.storage
        message = f"The database has {_describe(existing)}, but the model declares {_describe(declared)}."
        message += " Storage parameters alone differ: the index finds the same rows."
        remedy = remediation.set_storage(existing, declared.storage)
    else:
        return
    yield Finding(kind, declared.table, declared.name, message, remedy, known=known)


def _describe_partition_key(database: Database, index: CatalogIndex) -> str:
    if remediation.can_exist(database, index):
        return ""
    key = ", ".join(database.tables[index.table].partition_key)
    return f" The table is partitioned by {key}, and PostgreSQL wants that in each unique key: declare it with {key}."


def _describe_references(index: CatalogIndex) -> str:
    if not index.referring:
        return ""
    return f" It can't be dropped while foreign keys refer to it: {', '.join(index.referring)}."


def _not_valid(
    database: Database, existing: CatalogIndex, declared: CatalogIndex | None, source: Source
) -> Finding | SkippedCheck:
    """Return the finding about an index that no query uses and every write still pays for."""
    if existing.building:
        return SkippedCheck(f"{existing.name} is being built right now.")
    if not database.is_broken(existing):
        return SkippedCheck(
            f"Whether {existing.name} is broken is unknown: another session holds a lock on {existing.table}, and may"
            " be building it. Drop nothing until it has ended. GRANT pg_read_all_stats shows builds of other roles."
        )
    build = "REINDEX CONCURRENTLY" if is_leftover(existing.name) else "An index build"
    if existing.partitioned:
        message = "It is INVALID until each partition has a part of it that is attached."
        remedy = remediation.complete(database, existing)
    elif existing.parent:
        message = f"{build} failed and left it INVALID. It is a part of {existing.parent}."
        remedy = remediation.reindex(existing)
    elif declared is None:
        message = f"{build} failed and left it INVALID. No model declares it."
        remedy = remediation.drop(database, existing)
    else:
        build = f"Migration {source.name}" if source.remedy else "An index build"
        message = f"{build} failed and left it INVALID. It is declared by {source.name}."
        if declared.unique:
            message += " Remove duplicate rows first, or the build will fail again."
        if is_same(existing, declared):
            remedy = remediation.reindex(existing)
        else:
            remedy = f"{remediation.drop(database, existing)}; {remediation.create(database, declared)}"
    return Finding(
        FindingKind.INVALID,
        existing.table,
        existing.name,
        message,
        source.remedy or remedy,
        reclaimable_bytes=0 if declared else existing.bytes,
        known=bool(other_maker(database, existing.table)),
    )


def _extra(database: Database, existing: CatalogIndex) -> Finding:
    maker, remedy = other_maker(database, existing.table), remediation.drop(database, existing)
    foreign = existing.table not in models_by_table()
    if maker.startswith("Extension"):
        message, remedy = f"{maker} makes the table, with its indexes: {_describe(existing)}.", ""
    elif foreign and existing.constraint:
        message = f"No model uses table {existing.table}, of which this is a constraint: {_describe(existing)}."
        message, remedy = f"{message} Without it nothing rejects duplicate rows.", ""
    else:
        table = f", and no model uses table {existing.table}" if foreign else ""
        message = f"No model declares it{table}: {_describe(existing)}. If a query needs it, declare it instead."
    return Finding(
        FindingKind.EXTRA,
        existing.table,
        existing.name,
        message + _describe_references(existing),
        remedy,
        reclaimable_bytes=0 if existing.referring else existing.bytes,
        known=bool(maker),
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

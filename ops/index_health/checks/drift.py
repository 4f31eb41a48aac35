"""Drift: missing, extra and changed indexes, and the leftovers of failed builds."""

from collections.abc import Iterator

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.migration_source import MigrationSource, find_migration_sources
from ops.index_health.ownership import TABLES_WITHOUT_MODEL, is_framework, models_by_table, named_declarations

REINDEX_COPIES = ("_ccnew", "_ccold")  # suffixes of the copies that REINDEX CONCURRENTLY makes


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.declared is None:
        return
    sources = find_migration_sources(database.alias)
    pairs = _pair(database, database.declared)
    for name, declared in database.declared.items():
        existing = pairs.get(name)
        if declared.table not in database.tables:
            continue
        if existing is None:
            yield _missing(database, declared, sources.get(name))
        elif existing.building:
            yield _building(existing)
        elif not existing.valid:
            yield _invalid(database, existing, declared, sources.get(name))
        elif not _is_same(existing, declared):
            yield _changed(database, existing, declared)
        elif existing.name != name and name in named_declarations():
            yield _renamed(existing, declared)
    yield from _missing_tables(database)
    paired = {existing.name for existing in pairs.values()}
    for name, existing in database.indexes.items():
        if name in paired or (existing.table in TABLES_WITHOUT_MODEL and existing.constraint):
            continue
        if existing.building:
            yield _building(existing)
        else:
            yield _extra(database, existing) if existing.valid else _invalid(database, existing, None, None)


def is_leftover(name: str) -> bool:
    """Return whether the index has the name of a copy that REINDEX CONCURRENTLY makes."""
    return name.rstrip("0123456789").endswith(REINDEX_COPIES)


def describe(index: CatalogIndex) -> str:
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


def _is_same(existing: CatalogIndex, declared: CatalogIndex) -> bool:
    return (existing.table, existing.definition) == (declared.table, declared.definition)


def _building(existing: CatalogIndex) -> SkippedCheck:
    return SkippedCheck(f"{existing.name} is being built right now.")


def _missing(database: Database, declared: CatalogIndex, source: MigrationSource | None) -> Finding:
    loss = "Nothing rejects duplicate rows" if declared.is_constraint else "Its queries are slower"
    return Finding(
        kind=FindingKind.MISSING,
        table=declared.table,
        index=declared.name,
        message=f"Declared{_by(source)}, but missing from the database: {describe(declared)}. {loss}.",
        remedy=_migrate(source) or remediation.create(database, declared),
        known=is_framework(declared.table),
    )


def _renamed(existing: CatalogIndex, declared: CatalogIndex) -> Finding:
    return Finding(
        kind=FindingKind.MISSING,
        table=declared.table,
        index=declared.name,
        message=f"Declared, but the database has it under another name: {existing.name}.",
        remedy=remediation.rename(existing.name, declared.name),
        known=is_framework(declared.table),
    )


def _changed(database: Database, existing: CatalogIndex, declared: CatalogIndex) -> Finding:
    where = f" on {existing.table}" if existing.table != declared.table else ""
    return Finding(
        kind=FindingKind.CHANGED,
        table=declared.table,
        index=declared.name,
        message=f"The database has {describe(existing)}{where}, but the model declares {describe(declared)}.",
        remedy=remediation.replace(database, existing, declared),
        known=is_framework(declared.table),
    )


def _invalid(
    database: Database, existing: CatalogIndex, declared: CatalogIndex | None, source: MigrationSource | None
) -> Finding:
    """Return the finding about an index that no query uses and every write still pays for."""
    if declared is None:
        build = "REINDEX CONCURRENTLY" if is_leftover(existing.name) else "An index build"
        message = f"{build} failed and left it INVALID. No model declares it."
        remedy = remediation.drop(database, existing)
    else:
        build = f"Migration {source}" if _migrate(source) else "An index build"
        message = f"{build} failed and left it INVALID. It is declared{_by(source)}."
        if declared.unique:
            message += " Remove duplicate rows first, or the build will fail again."
        remedy = _migrate(source)
        if not remedy and _is_same(existing, declared):
            remedy = f"REINDEX INDEX CONCURRENTLY {remediation.quote(existing.name)}"
        elif not remedy:
            remedy = f"{remediation.drop(database, existing)}; {remediation.create(database, declared)}"
    return Finding(
        kind=FindingKind.INVALID,
        table=existing.table,
        index=existing.name,
        message=message,
        remedy=remedy,
        reclaimable_bytes=0 if declared else existing.bytes,
    )


def _extra(database: Database, existing: CatalogIndex) -> Finding:
    table = "" if existing.table in models_by_table() else f", and no model uses table {existing.table}"
    return Finding(
        kind=FindingKind.EXTRA,
        table=existing.table,
        index=existing.name,
        message=f"No model declares it{table}: {describe(existing)}. If a query needs it, declare it instead.",
        remedy=remediation.drop(database, existing),
        reclaimable_bytes=existing.bytes,
        known=is_framework(existing.table),
    )


def _missing_tables(database: Database) -> Iterator[Finding]:
    for table in sorted({index.table for index in (database.declared or {}).values()} - database.tables.keys()):
        app = models_by_table()[table]._meta.app_label
        message = "The table is missing, with all its indexes."
        yield Finding(FindingKind.MISSING, table, "", message, f"manage.py migrate {app}")


def _by(source: MigrationSource | None) -> str:
    return f" by {source}" if source else " by its model"


def _migrate(source: MigrationSource | None) -> str:
    return f"manage.py migrate {source.app}" if source and not source.applied else ""

"""What the models declare against what stands: missing, extra, changed, and what broken builds left behind."""

from collections.abc import Iterator

from ops.index_health import remediation
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.migration_source import MigrationSource, find_migration_sources
from ops.index_health.ownership import MADE_BY_OPERATIONS, is_framework, models_by_table, named_declarations

REINDEXED = ("_ccnew", "_ccold")  # what REINDEX CONCURRENTLY calls its copies


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.declared is None:
        return
    makers = find_migration_sources(database.alias)
    pairs = _pair(database, database.declared)
    for name, declared in database.declared.items():
        standing = pairs.get(name)
        if declared.table not in database.tables:
            continue
        if standing is None:
            yield _missing(database, declared, makers.get(name))
        elif standing.building:
            yield SkippedCheck(f"{standing.name} is being built at this moment.")
        elif not standing.valid:
            yield _broken(database, standing, declared, makers.get(name))
        elif (standing.table, standing.definition) != (declared.table, declared.definition):
            yield _changed(database, standing, declared)
        elif standing.name != name and name in named_declarations():
            yield _misnamed(standing, declared)
    yield from _tables_missing(database)
    paired = {standing.name for standing in pairs.values()}
    for name, standing in database.indexes.items():
        if name in paired or (standing.table in MADE_BY_OPERATIONS and standing.constraint):
            continue
        if standing.building:
            yield SkippedCheck(f"{name} is being built at this moment.")
        else:
            yield _extra(database, standing) if standing.valid else _broken(database, standing, None, None)


def _pair(database: Database, declared: dict[str, CatalogIndex]) -> dict[str, CatalogIndex]:
    """What stands for each declared one: that of its name, else an equal one that is not another's.

    The names of unique fields depend on the migration that made them, and those of SQLite's implicit ones on nothing.
    """
    pairs = {name: database.indexes[name] for name in declared if name in database.indexes and _is_named(name)}
    for name, index in declared.items():
        if name in pairs:
            continue
        taken = {standing.name for standing in pairs.values()}
        equals = [
            standing
            for standing in database.of_table(index.table)
            if standing.name not in taken and (standing.name == name or standing.name not in declared)
            if standing.valid and standing.definition == index.definition
        ]
        equals.sort(key=lambda standing: standing.name != name)
        if equals:
            pairs[name] = equals[0]
        elif name in database.indexes and name not in taken and not _is_implicit(name):
            pairs[name] = database.indexes[name]
    return pairs


def _missing(database: Database, declared: CatalogIndex, maker: MigrationSource | None) -> Finding:
    loss = "Nothing keeps its rows unique" if declared.guards else "Its question is answered some other, slower way"
    return Finding(
        kind=FindingKind.MISSING,
        table=declared.table,
        index=declared.name,
        message=f"It is declared{_by(maker)} and does not stand: {describe(declared)}. {loss}.",
        remedy=_migrate(maker) or remediation.create(database, declared),
        known=is_framework(declared.table),
    )


def _misnamed(standing: CatalogIndex, declared: CatalogIndex) -> Finding:
    return Finding(
        kind=FindingKind.MISSING,
        table=declared.table,
        index=declared.name,
        message=f"It is declared, and stands under another name: {standing.name}.",
        remedy=remediation.rename(standing.name, declared.name),
        known=is_framework(declared.table),
    )


def _changed(database: Database, standing: CatalogIndex, declared: CatalogIndex) -> Finding:
    where = f" on {standing.table}" if standing.table != declared.table else ""
    return Finding(
        kind=FindingKind.CHANGED,
        table=declared.table,
        index=declared.name,
        message=f"It stands{where} as {describe(standing)}, and is declared as {describe(declared)}.",
        remedy=remediation.replace(database, standing, declared),
        known=is_framework(declared.table),
    )


def _broken(
    database: Database, standing: CatalogIndex, declared: CatalogIndex | None, maker: MigrationSource | None
) -> Finding:
    """An index that no query uses and every write still pays for."""
    again = " Remove the rows that are equal first, or it will break again." if declared and declared.unique else ""
    if declared is None:
        left = "REINDEX CONCURRENTLY" if is_leftover(standing.name) else "A build"
        message = f"{left} broke and left it INVALID; it is declared nowhere."
        heal = remediation.drop(database, standing)
    elif _migrate(maker):
        message = f"{maker} broke while it was building it, and is not recorded as applied. It is INVALID.{again}"
        heal = _migrate(maker)
    else:
        message = f"A build broke and left it INVALID. It is declared{_by(maker)}, which will not run again.{again}"
        heal = f"REINDEX INDEX CONCURRENTLY {remediation.quote(standing.name)}"
        if (standing.table, standing.definition) != (declared.table, declared.definition):
            heal = f"{remediation.drop(database, standing)}; {remediation.create(database, declared)}"
    return Finding(
        kind=FindingKind.INVALID,
        table=standing.table,
        index=standing.name,
        message=message,
        remedy=heal,
        reclaimable_bytes=0 if declared else standing.bytes,
    )


def is_leftover(name: str) -> bool:
    """Is it called as a copy that REINDEX CONCURRENTLY makes?"""
    return name.rstrip("0123456789").endswith(REINDEXED)


def _extra(database: Database, standing: CatalogIndex) -> Finding:
    table = "" if standing.table in models_by_table() else f", and no model has the table {standing.table}"
    return Finding(
        kind=FindingKind.EXTRA,
        table=standing.table,
        index=standing.name,
        message=f"It is declared nowhere{table}: {describe(standing)}. Declare it, if something needs it.",
        remedy=remediation.drop(database, standing),
        reclaimable_bytes=standing.bytes,
        known=is_framework(standing.table),
    )


def _tables_missing(database: Database) -> Iterator[Finding]:
    for table in sorted({index.table for index in (database.declared or {}).values()} - database.tables.keys()):
        app = models_by_table()[table]._meta.app_label
        yield Finding(
            FindingKind.MISSING,
            table,
            "",
            "The table itself is missing, with all its indexes.",
            f"manage.py migrate {app}",
        )


def describe(index: CatalogIndex) -> str:
    """`UNIQUE btree (company_id, phone)`."""
    return index.definition.replace("USING ", "", 1)


def _by(maker: MigrationSource | None) -> str:
    return f" by {maker}" if maker else " by its model"


def _migrate(maker: MigrationSource | None) -> str:
    return f"manage.py migrate {maker.app}" if maker and not maker.applied else ""


def _is_named(name: str) -> bool:
    return name in named_declarations()


def _is_implicit(name: str) -> bool:
    return name.startswith("sqlite_autoindex_")

"""The catalogue of SQLite, for development: definitions only, without sizes and use."""

import re

from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog.models import CatalogIndex, CatalogTable, Database, ForeignKey, Key
from ops.index_health.findings import SkippedCheck

TABLES = r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
INDEXES = """
SELECT l.name, m.tbl_name, l."unique", l.origin, l.partial, m.sql
FROM sqlite_master m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name
WHERE m.type = 'index' ORDER BY m.tbl_name, m.name
"""
FOREIGN_KEYS = """
SELECT m.name, f.id, f."table", f."from"
FROM sqlite_master m
JOIN pragma_foreign_key_list(m.name) f
JOIN pragma_table_info(m.name) c ON c.name = f."from"
WHERE m.type = 'table' AND NOT (c.pk = 1 AND c.type = 'integer')  -- the rowid needs no index
ORDER BY m.name, f.id, f.seq
"""


def read(connection: BaseDatabaseWrapper) -> Database:
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        tables = {name: CatalogTable(name) for (name,) in cursor.fetchall()}
    major, minor, patch = connection.Database.sqlite_version_info  # type: ignore[attr-defined]  # SQLite's wrapper only
    return Database(
        alias=connection.alias,
        vendor=connection.vendor,
        version=major * 10000 + minor * 100 + patch,
        counted_since=None,
        tables=tables,
        indexes=read_indexes(connection),
        foreign_keys=_read_foreign_keys(connection),
        skipped_checks=(
            SkippedCheck(
                "SQLite is checked for drift and redundancy only: use, bloat, plans and sizes need PostgreSQL."
            ),
        ),
    )


def read_indexes(connection: BaseDatabaseWrapper) -> dict[str, CatalogIndex]:
    """Return the indexes by name. SQLite stores no names of constraints: their implicit index's name is used."""
    indexes = {}
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        for name, table, unique, origin, partial, statement in cursor.fetchall():
            cursor.execute('SELECT name, "desc", coll FROM pragma_index_xinfo(%s) WHERE key ORDER BY seqno', [name])
            keys = tuple(
                Key(column or "(expression)", collation="" if coll == "BINARY" else coll, descending=bool(desc))
                for column, desc, coll in cursor.fetchall()
            )
            indexes[name] = CatalogIndex(
                name=name,
                table=table,
                method="btree",
                keys=keys,
                includes=(),
                condition=re.split(r"\sWHERE\s", statement, maxsplit=1)[1].replace('"', "") if partial else "",
                unique=bool(unique),
                primary=origin == "pk",
                constraint="" if origin == "c" else name,
                valid=True,
                definition=_normalize(statement)
                if statement
                else f"UNIQUE ({', '.join(key.expression for key in keys)})",
            )
    return indexes


def _read_foreign_keys(connection: BaseDatabaseWrapper) -> tuple[ForeignKey, ...]:
    columns: dict[tuple[str, int, str], list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_KEYS)
        for table, number, target, column in cursor.fetchall():
            columns.setdefault((table, number, target), []).append(column)
    return tuple(
        ForeignKey(f"{table}.{'+'.join(names)}", table, tuple(names), target)
        for (table, _, target), names in columns.items()
    )


def _normalize(statement: str) -> str:
    """Return `CREATE [UNIQUE] INDEX "name" ON "table" (…) …` without names and quotes."""
    head, _, tail = statement.partition("(")
    return ("UNIQUE (" if head.upper().startswith("CREATE UNIQUE") else "(") + tail.replace('"', "")

"""The catalogue of SQLite, for development: definitions only, without sizes and use."""

import re
from itertools import groupby

from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog.models import CatalogIndex, CatalogTable, Database, Key
from ops.index_health.findings import SkippedCheck

TABLES = r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
INDEXES = """
SELECT l.name, m.tbl_name, l."unique", l.origin, l.partial, m.sql, x.name, x."desc", x.coll
FROM sqlite_master m
JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name
JOIN pragma_index_xinfo(l.name) x ON x.key
WHERE m.type = 'index' ORDER BY m.tbl_name, m.name, x.seqno
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
        skipped_checks=(
            SkippedCheck("On SQLite only the definitions of indexes are checked; everything else needs PostgreSQL."),
        ),
    )


def read_indexes(connection: BaseDatabaseWrapper) -> dict[str, CatalogIndex]:
    """Return the indexes by name. SQLite stores no names of constraints: their implicit index's name is used."""
    indexes = {}
    with connection.cursor() as cursor:
        cursor.execute(INDEXES)
        rows = cursor.fetchall()
    for (name, table, unique, origin, partial, statement), found in groupby(rows, key=lambda row: row[:6]):
        keys = tuple(
            Key(column or "(expression)", collation="" if coll == "BINARY" else coll, descending=bool(desc))
            for *_, column, desc, coll in found
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
            definition=_normalize(statement) if statement else f"UNIQUE ({', '.join(key.expression for key in keys)})",
        )
    return indexes


def _normalize(statement: str) -> str:
    """Return `CREATE [UNIQUE] INDEX "name" ON "table" (…) …` without names and quotes."""
    head, _, tail = statement.partition("(")
    return ("UNIQUE (" if head.upper().startswith("CREATE UNIQUE") else "(") + tail.replace('"', "")

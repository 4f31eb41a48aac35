"""What SQLite says of itself: definitions, and sizes where `dbstat` is compiled in. It counts no use."""

import re

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from ops.index_health.catalog.models import CatalogIndex, CatalogTable, Database, ForeignKey, Key
from ops.index_health.findings import SkippedCheck

IMPLICIT = "sqlite_autoindex_"  # made for a UNIQUE or PRIMARY KEY in the table's own statement
COLLATIONS = {"BINARY": ""}


def read(connection: BaseDatabaseWrapper) -> Database:
    sizes, skipped_checks = _read_sizes(connection)
    indexes = read_indexes(connection, sizes)
    return Database(
        alias=connection.alias,
        vendor=connection.vendor,
        version=_version(connection.Database.sqlite_version_info),  # type: ignore[attr-defined]  # SQLite's own
        counted_since=None,
        tables=_read_tables(connection, sizes, indexes),
        indexes=indexes,
        foreign_keys=_read_foreign_keys(connection),
        skipped_checks=skipped_checks,
    )


def read_indexes(connection: BaseDatabaseWrapper, sizes: dict[str, int] | None = None) -> dict[str, CatalogIndex]:
    """By name. An implicit one bears the name of no constraint, for SQLite keeps none: its own stands for it."""
    sizes = sizes or {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.name, m.tbl_name, l."unique", l.origin, l.partial, m.sql
            FROM sqlite_master m JOIN pragma_index_list(m.tbl_name) l ON l.name = m.name
            WHERE m.type = 'index' ORDER BY m.tbl_name, m.name
            """
        )
        indexes = {}
        for name, table, unique, origin, partial, statement in cursor.fetchall():
            cursor.execute('SELECT name, "desc", coll FROM pragma_index_xinfo(%s) WHERE key ORDER BY seqno', [name])
            columns = cursor.fetchall()
            condition = re.split(r"\sWHERE\s", statement, maxsplit=1)[1].replace('"', "") if partial else ""
            indexes[name] = CatalogIndex(
                name=name,
                table=table,
                method="btree",
                keys=tuple(
                    Key(column or "(expression)", collation=COLLATIONS.get(collation, collation), descending=bool(desc))
                    for column, desc, collation in columns
                ),
                includes=(),
                condition=condition,
                unique=bool(unique),
                primary=origin == "pk",
                constraint="" if origin == "c" else name,
                valid=True,
                definition=_without_names(statement)
                if statement
                else f"UNIQUE ({', '.join(c for c, _, _ in columns)})",
                bytes=sizes.get(name, 0),
            )
    return indexes


def _read_tables(
    connection: BaseDatabaseWrapper, sizes: dict[str, int], indexes: dict[str, CatalogIndex]
) -> dict[str, CatalogTable]:
    with connection.cursor() as cursor:
        cursor.execute(r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'")
        tables = {}
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608  # from the catalogue
            rows = cursor.fetchone()[0]
            index_bytes = sum(index.bytes for index in indexes.values() if index.table == name)
            tables[name] = CatalogTable(name, rows, sizes.get(name, 0), index_bytes)
    return tables


def _read_foreign_keys(connection: BaseDatabaseWrapper) -> tuple[ForeignKey, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.name, f.id, f."table", f."from"
            FROM sqlite_master m
            JOIN pragma_foreign_key_list(m.name) f
            JOIN pragma_table_info(m.name) c ON c.name = f."from"
            WHERE m.type = 'table' AND NOT (c.pk = 1 AND c.type = 'integer')  -- a row's own number needs no index
            ORDER BY m.name, f.id, f.seq
            """
        )
        columns: dict[tuple[str, int, str], list[str]] = {}
        for table, number, target, column in cursor.fetchall():
            columns.setdefault((table, number, target), []).append(column)
    return tuple(
        ForeignKey(f"{table}.{'+'.join(names)}", table, tuple(names), target)
        for (table, _, target), names in columns.items()
    )


def _read_sizes(connection: BaseDatabaseWrapper) -> tuple[dict[str, int], tuple[SkippedCheck, ...]]:
    """Bytes by the name of a table or index."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")
            return dict(cursor.fetchall()), ()
    except OperationalError:
        return {}, (SkippedCheck("Sizes are unknown: this SQLite is built without dbstat."),)


def _version(numbers: tuple[int, int, int]) -> int:
    """3.40.1 is 34001: like PostgreSQL's, so that the two are shown alike."""
    return numbers[0] * 10000 + numbers[1] * 100 + numbers[2]


def _without_names(statement: str) -> str:
    """`CREATE [UNIQUE] INDEX "name" ON "table" (…) …` without the names and quotes."""
    head, _, tail = statement.partition("(")
    return ("UNIQUE (" if head.upper().startswith("CREATE UNIQUE") else "(") + tail.replace('"', "")

"""The catalogue and statistics of PostgreSQL 15 to 18."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from crm.db.index_definitions import reword_expression
from crm.db.introspection import BUILDING_SESSIONS, without_names
from ops.index_health.catalog.models import CatalogIndex, CatalogTable, Database, ForeignKey, Key

SCHEMA = "current_schema()::regnamespace"
LAST_SCAN_SINCE = 160000


def read(connection: BaseDatabaseWrapper) -> Database:
    return Database(
        alias=connection.alias,
        vendor=connection.vendor,
        version=connection.pg_version,  # type: ignore[attr-defined]  # PostgreSQL's wrapper only
        counted_since=read_counted_since(connection),
        tables=read_tables(connection),
        indexes=read_indexes(connection),
        foreign_keys=read_foreign_keys(connection),
        servers=(connection.alias,),
    )


def read_counted_since(connection: BaseDatabaseWrapper) -> datetime:
    """Return the time at which the server began to count, in UTC.

    `stats_reset` of a database is NULL until someone resets its counters. After a crash all counters start again, while
    the postmaster's start and that `stats_reset` may stay the same: the background writer's counters show it.
    """
    [row] = fetch(
        connection,
        """
        SELECT greatest(
            coalesce(d.stats_reset, pg_postmaster_start_time()), (SELECT stats_reset FROM pg_stat_bgwriter)
        )
        FROM pg_stat_database d WHERE d.datname = current_database()
        """,
    )
    return row[0]


def read_indexes(connection: BaseDatabaseWrapper, schema: str = SCHEMA) -> dict[str, CatalogIndex]:
    """Return the indexes by name, selected in the order of CatalogIndex. `schema` is an SQL expression for an oid."""
    last_scan = "s.last_idx_scan" if connection.pg_version >= LAST_SCAN_SINCE else "NULL"  # type: ignore[attr-defined]
    rows = fetch(
        connection,
        f"""
        SELECT c.relname, t.relname, m.amname,
            (
                SELECT json_agg(json_build_array(
                    coalesce(a.attname, pg_get_indexdef(i.indexrelid, k, true)),
                    CASE WHEN o.opcdefault THEN '' ELSE o.opcname END,
                    coalesce(nullif(l.collname, 'default'), ''),
                    i.indoption[k - 1] & 1 = 1,
                    i.indoption[k - 1] & 2 = 2
                ) ORDER BY k)
                FROM generate_series(1, i.indnkeyatts) k
                JOIN pg_opclass o ON o.oid = i.indclass[k - 1]
                LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] AND a.attnum <> 0
                LEFT JOIN pg_collation l ON l.oid = i.indcollation[k - 1]
            ),
            ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
                  FROM generate_series(i.indnkeyatts + 1, i.indnatts) k ORDER BY k),
            coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
            i.indisunique, i.indisprimary, coalesce(n.conname, ''), i.indisvalid AND i.indisready,
            pg_get_indexdef(i.indexrelid),
            NOT i.indisvalid AND EXISTS (
                SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid OR p.relid = i.indrelid
            ),
            pg_relation_size(i.indexrelid),
            s.idx_scan, s.idx_tup_read, s.idx_tup_fetch, {last_scan},
            c.relkind = 'I',
            coalesce((
                SELECT p.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhparent WHERE h.inhrelid = c.oid
            ), ''),
            ARRAY(SELECT f.conname::text FROM pg_constraint f
                  WHERE f.contype = 'f' AND f.conindid = c.oid AND f.conparentid = 0 ORDER BY 1)
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_am m ON m.oid = c.relam
        LEFT JOIN pg_constraint n ON n.conindid = i.indexrelid AND n.contype IN ('p', 'u', 'x')
        LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.indexrelid
        WHERE t.relnamespace = {schema}
        ORDER BY t.relname, c.relname
        """,  # noqa: S608  # constants of this module and of expected.py
    )
    indexes = (CatalogIndex(*row) for row in rows)
    return {
        index.name: replace(
            index,
            keys=tuple(Key(reword_expression(key[0]), *key[1:]) for key in index.keys),  # type: ignore[index]  # JSON
            includes=tuple(index.includes),
            referring=tuple(index.referring),
            definition=without_names(index.definition),
        )
        for index in indexes
    }


def read_tables(connection: BaseDatabaseWrapper) -> dict[str, CatalogTable]:
    rows = fetch(
        connection,
        f"""
        SELECT t.relname,
            greatest(
                s.n_live_tup, CASE WHEN t.reltuples < 0 THEN pg_relation_size(t.oid) / 100 ELSE t.reltuples END
            )::bigint,
            pg_table_size(t.oid), pg_indexes_size(t.oid), s.n_live_tup, s.n_dead_tup,
            s.n_tup_ins, s.n_tup_upd, s.n_tup_hot_upd, s.n_tup_del, s.n_mod_since_analyze,
            greatest(s.last_vacuum, s.last_autovacuum), greatest(s.last_analyze, s.last_autoanalyze),
            coalesce((
                SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e'
            ), ''),
            ARRAY(SELECT coalesce(a.attname::text, '(expression)')
                  FROM pg_partitioned_table k CROSS JOIN unnest(k.partattrs) WITH ORDINALITY u (number, position)
                  LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = u.number AND u.number <> 0
                  WHERE k.partrelid = t.oid ORDER BY u.position),
            ARRAY(SELECT c.relname::text FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
                  WHERE h.inhparent = t.oid AND t.relkind = 'p' ORDER BY 1),
            EXISTS ({BUILDING_SESSIONS})
        FROM pg_class t LEFT JOIN pg_stat_user_tables s ON s.relid = t.oid
        WHERE t.relnamespace = {SCHEMA} AND t.relkind IN ('r', 'p', 'm')
        ORDER BY t.relname
        """,  # noqa: S608  # constants
    )
    tables = (CatalogTable(*row) for row in rows)
    return {
        table.name: replace(table, partition_key=tuple(table.partition_key), partitions=tuple(table.partitions))
        for table in tables
    }


def read_foreign_keys(connection: BaseDatabaseWrapper) -> tuple[ForeignKey, ...]:
    rows = fetch(
        connection,
        f"""
        SELECT n.conname, t.relname,
            ARRAY(SELECT a.attname::text FROM unnest(n.conkey) WITH ORDINALITY k (number, position)
                  JOIN pg_attribute a ON a.attrelid = n.conrelid AND a.attnum = k.number ORDER BY k.position),
            o.relname
        FROM pg_constraint n
        JOIN pg_class t ON t.oid = n.conrelid
        JOIN pg_class o ON o.oid = n.confrelid
        WHERE n.contype = 'f' AND n.conparentid = 0 AND t.relnamespace = {SCHEMA}
        ORDER BY t.relname, n.conname
        """,  # noqa: S608  # a constant
    )
    return tuple(ForeignKey(name, table, tuple(columns), target) for name, table, columns, target in rows)


def find_extension(connection: BaseDatabaseWrapper, name: str) -> str | None:
    """Return the quoted schema of an extension, or None if it is not installed."""
    query = "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = %s"
    return next((schema for (schema,) in fetch(connection, query, [name])), None)


def fetch(connection: BaseDatabaseWrapper, query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()

"""Table sizes, constraints and indexes, read from PostgreSQL's catalog."""

from dataclasses import dataclass

from django.db import connections

from ops.safe_migrations.schema_facts import SchemaFacts


@dataclass(frozen=True)
class Size:
    """The server's estimate of the rows, and bytes without indexes."""

    rows: int
    bytes: int


def read_sizes(alias: str) -> dict[str, Size]:
    """Return the size of every table. A table that was never analyzed counts with many small rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, greatest(
                       s.n_live_tup,
                       CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 100 ELSE c.reltuples END
                   )::bigint,
                   pg_table_size(c.oid)
            FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
            """
        )
        return {table: Size(rows, size) for table, rows, size in cursor.fetchall()}


def read_facts(alias: str) -> SchemaFacts:
    """Return the constraints and indexes that exist now."""
    facts, constraints = SchemaFacts(), set()
    with connections[alias].cursor() as cursor:
        cursor.execute(
            r"""
            SELECT k.conname, c.relname, k.convalidated,
                   substring(pg_get_constraintdef(k.oid) FROM '^CHECK \(\("?(\w+)"? IS NOT NULL\)\)')
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            WHERE k.connamespace = current_schema()::regnamespace
            """
        )
        for constraint, table, valid, column in cursor.fetchall():
            constraints.add(constraint)
            if column:
                facts.not_null_checks[constraint] = (table, column)
            if column and valid:
                facts.never_null.add((table, column))
        cursor.execute(
            """
            SELECT i.relname, t.relname
            FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
            WHERE i.relnamespace = current_schema()::regnamespace
            """
        )
        facts.index_tables = dict(cursor.fetchall())
    facts.constraints = constraints
    return facts

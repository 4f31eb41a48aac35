"""What PostgreSQL says of its tables: how large they are, and what is known of their columns."""

from dataclasses import dataclass

from django.db import connections

from ops.safe_migrations.schema_facts import SchemaFacts


@dataclass(frozen=True)
class Size:
    """Rows as the server estimates them, and bytes without indexes."""

    rows: int
    bytes: int


def read_sizes(alias: str) -> dict[str, Size]:
    """Of every table. One that was never analysed is taken to have many small rows."""
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


def read_known(alias: str) -> SchemaFacts:
    """What the migrations to come can build on."""
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
    facts.constraints = constraints
    return facts

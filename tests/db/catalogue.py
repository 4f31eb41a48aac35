"""Indexes in the database, in the same form for both databases."""

import re
from typing import NamedTuple

from django.apps import apps
from django.db import connection

PRODUCT_APPS = ["crm", "calls", "messaging", "analytics"]


class ExistingIndex(NamedTuple):
    table: str
    columns: tuple[str, ...]
    method: str
    predicate: str
    unique: bool


def product_models():
    return [model for app in PRODUCT_APPS for model in apps.get_app_config(app).get_models()]


def product_tables():
    return {model._meta.db_table for model in product_models()}


def existing_indexes():
    """Return every valid index on the product's tables by name, also of primary keys and constraints."""
    with connection.cursor() as cursor:
        rows = _on_postgresql(cursor) if connection.vendor == "postgresql" else _on_sqlite(cursor)
        return {name: ExistingIndex(*facts) for name, *facts in rows if facts[0] in product_tables()}


def _on_postgresql(cursor):
    cursor.execute(
        r"""
        SELECT c.relname, t.relname, m.amname, pg_get_expr(i.indpred, i.indrelid), i.indisunique,
               (SELECT array_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k)
                FROM generate_series(1, i.indnkeyatts) k)
        FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_am m ON m.oid = c.relam
        WHERE i.indisvalid AND c.relnamespace = current_schema()::regnamespace
            AND c.relname NOT LIKE '%\_like'  -- Django's extra index for LIKE on a unique text, on two small tables
        """
    )
    for name, table, method, predicate, unique, columns in cursor.fetchall():
        yield name, table, tuple(column.strip('"') for column in columns), method, _plain(predicate), unique


def _on_sqlite(cursor):
    cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'")
    for name, table, sql in cursor.fetchall():
        cursor.execute("SELECT name FROM pragma_index_info(%s) ORDER BY seqno", [name])
        columns = tuple(column for (column,) in cursor.fetchall())
        _, _, predicate = (sql or "").partition(" WHERE ")
        # An index without a statement belongs to a UNIQUE in the table's statement.
        yield name, table, columns, "btree", _plain(predicate), not sql or sql.startswith("CREATE UNIQUE")


def _plain(predicate):
    return re.sub(r'::(text|character varying)|["()]', "", predicate or "")

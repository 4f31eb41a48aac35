"""Rows to write to, and what writers write: every table whose indexes a migration adds or drops."""

from datetime import date

from django.db import connection, transaction

from calls.models import Call
from ops.demo.seeding import seed_demo
from tests.db.catalogue import product_models

SEED = {"companies": 2, "contacts": 500, "calls": 2_000, "days": 400, "seed": 1, "until": date(2026, 3, 1)}


def fill(calls):
    """Demo companies, and copies of their calls until there are so many."""
    seed_demo(**SEED)
    columns = ", ".join(_columns())
    with connection.cursor() as cursor:
        with transaction.atomic():
            # Nobody counts these: triggers of each row would take as long as all the rest. The checks of foreign keys
            # are to be over when they come back.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE calls DISABLE TRIGGER USER")
            cursor.execute(
                f"INSERT INTO calls ({columns}) SELECT {columns} FROM calls, generate_series(2, %s)",
                [calls // SEED["calls"]],
            )
            cursor.execute("ALTER TABLE calls ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE calls")
        cursor.execute("SELECT count(*) FROM calls")
        return cursor.fetchone()[0]


def statements():
    """Calls that come in, calls that change so that each of their indexes is written, and a row of each other table."""
    columns = ", ".join(_columns())
    return [
        f"INSERT INTO calls ({columns}) SELECT {columns} FROM calls WHERE id = (SELECT min(id) + {{row}} FROM calls)",
        f"UPDATE calls SET created_at = created_at + interval '1 second' WHERE id = ({_row_of('calls')})",
        *[f"UPDATE {table} SET id = id WHERE id = ({_row_of(table)})" for table in sorted(_indexed_tables())],
    ]


def _row_of(table):
    return f"SELECT id FROM {table} ORDER BY id OFFSET {{row}} LIMIT 1"


def _columns():
    """Without those of which a copy needs another."""
    return [field.column for field in Call._meta.concrete_fields if field.name not in ("id", "activity")]


def _indexed_tables():
    return {model._meta.db_table for model in product_models() if model._meta.indexes} - {"calls"}

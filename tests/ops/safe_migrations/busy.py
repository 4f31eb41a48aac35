"""Rows and statements for writers: every table whose indexes a migration adds or drops."""

from datetime import date

from django.db import connection, transaction

from calls.models import Call
from ops.demo.seeding import seed_demo
from tests.db.catalogue import product_models

SEED = {"companies": 2, "contacts": 200, "calls": 1_000, "days": 400, "seed": 1, "until": date(2026, 3, 1)}


def fill(calls):
    """Create demo companies, copy their calls up to this number, and return the number."""
    seed_demo(**SEED)
    columns = ", ".join(_columns())
    with connection.cursor() as cursor:
        with transaction.atomic():
            # Without triggers of each row, which take most of the time. The checks of foreign keys must end before the
            # triggers are back.
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
    """Return an INSERT of calls, an UPDATE of all their indexes, and an UPDATE of each other table."""
    columns = ", ".join(_columns())
    return [
        f"INSERT INTO calls ({columns}) SELECT {columns} FROM calls WHERE id = (SELECT min(id) + {{row}} FROM calls)",
        f"UPDATE calls SET created_at = created_at - interval '1 second' WHERE id = ({_row_of('calls')})",
        *[f"UPDATE {table} SET id = id WHERE id = ({_row_of(table)})" for table in sorted(_indexed_tables())],
    ]


def _row_of(table):
    return f"SELECT id FROM {table} ORDER BY id OFFSET {{row}} LIMIT 1"


def _columns():
    """Return the columns that a copy of a call can share."""
    return [field.column for field in Call._meta.concrete_fields if field.name not in ("id", "activity")]


def _indexed_tables():
    return {model._meta.db_table for model in product_models() if model._meta.indexes} - {"calls"}

"""Inserts and updates of many rows, each by one statement.

On PostgreSQL the values travel as one array for each column: row-level security refuses COPY into a table, and a
temporary table to COPY into would need a session, which a pooler in transaction mode doesn't give.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model

Rows = Iterable[Sequence[Any]]


def insert_rows(model: type[Model], names: Sequence[str], rows: Rows) -> None:
    """Insert rows with these fields. Every other column must have a default in the database."""
    fields = [model._meta.get_field(name) for name in names]
    table, columns = model._meta.db_table, ", ".join(str(_quoted(field)) for field in fields)
    values = [_prepared(fields, row) for row in rows]
    if not values:
        return
    if connection.vendor == "postgresql":
        _execute(f"INSERT INTO {table} ({columns}) SELECT * FROM {_unnest(fields)}", _arrays(values))  # noqa: S608
    else:
        places = ", ".join(["%s"] * len(fields))
        _execute_many(f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608


def update_rows(model: type[Model], names: Sequence[str], rows: Rows) -> None:
    """Update fields of rows: each of `rows` is a primary key with the new values."""
    fields = [model._meta.get_field(name) for name in names]
    key: Any = model._meta.pk
    table = model._meta.db_table
    values = [_prepared([key, *fields], row) for row in rows]
    if not values:
        return
    if connection.vendor == "postgresql":
        changes = ", ".join(f"{_quoted(field)} = new.{_quoted(field)}" for field in fields)
        source = f"{_unnest([key, *fields])} AS new ({', '.join(map(_quoted, [key, *fields]))})"
        statement = f"UPDATE {table} SET {changes} FROM (SELECT * FROM {source}) new WHERE {table}.id = new.id"  # noqa: S608
        _execute(statement, _arrays(values))
    else:
        changes = ", ".join(f"{_quoted(field)} = %s" for field in fields)
        _execute_many(f"UPDATE {table} SET {changes} WHERE id = %s", [(*row[1:], row[0]) for row in values])  # noqa: S608


def in_chunks(values: Iterable[Any], size: int) -> Iterable[list[Any]]:
    """Yield the values in lists: SQLite takes 32,766 parameters in a statement."""
    listed = list(values)
    return (listed[start : start + size] for start in range(0, len(listed), size))


def _prepared(fields: Sequence[Any], row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(
        json.dumps(value) if value is not None and isinstance(field, JSONField) else value
        for field, value in zip(fields, row, strict=True)
    )


def _arrays(values: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*values, strict=True)]


def _unnest(fields: Sequence[Any]) -> str:
    """Return the SQL of a table with one array for each field."""
    return f"ROWS FROM ({', '.join(map(_unnested, fields))})"


def _unnested(field: Field) -> str:
    # Without its length: an explicit cast would cut the text off, where the column refuses it.
    kind = re.sub(r"\(.*\)", "", str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection)))
    return f"unnest(%s::{kind}[])"


def _quoted(field: Any) -> str:
    return connection.ops.quote_name(field.column)


def _execute(statement: str, parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _execute_many(statement: str, rows: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)

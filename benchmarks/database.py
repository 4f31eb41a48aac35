"""Plain SQL on the default connection."""

from typing import Any

from django.db import connection, models


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def fetch(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def columns_of(model: type[models.Model]) -> list[str]:
    """Return the columns that an INSERT writes, without the id."""
    return [str(field.column) for field in model._meta.concrete_fields if not field.generated and field.name != "id"]


def wal_position() -> int:
    """Return the bytes of WAL that the server has written."""
    return int(fetch("SELECT pg_current_wal_insert_lsn() - '0/0'")[0][0])

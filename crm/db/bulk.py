"""Inserts, updates and conditions of many rows, each by one statement.

On PostgreSQL the values travel as one array for each column: row-level security refuses COPY into a table, and a
temporary table to COPY into would need a session, which a pooler in transaction mode doesn't give. An array is one
text: the server would take ten times as long to parse each of its values as an expression.
"""

import gc
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Expression, F, Field, JSONField, Lookup, Model

Rows = Iterable[Sequence[Any]]


def insert_rows(model: type[Model], names: Sequence[str], rows: Rows, *, ignore_conflicts: bool = False) -> None:
    """Insert rows with these fields. Every other column must have a default in the database."""
    fields = [model._meta.get_field(name) for name in names]
    table, columns = model._meta.db_table, ", ".join(map(_quoted, fields))
    values = _columns(fields, rows)
    end = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    if not values:
        return
    if connection.vendor == "postgresql":
        _execute(f"INSERT INTO {table} ({columns}) SELECT * FROM {_unnest(fields)}{end}", _arrays(values))  # noqa: S608
    else:
        places = ", ".join(["%s"] * len(fields))
        _execute_many(f"INSERT INTO {table} ({columns}) VALUES ({places}){end}", values)  # noqa: S608


def update_rows(model: type[Model], names: Sequence[str], rows: Rows) -> None:
    """Update fields of rows: each of `rows` is a primary key with the new values."""
    fields = [model._meta.get_field(name) for name in names]
    key: Any = model._meta.pk
    table = model._meta.db_table
    values = _columns([key, *fields], rows)
    if not values:
        return
    if connection.vendor == "postgresql":
        changes = ", ".join(f"{_quoted(field)} = new.{_quoted(field)}" for field in fields)
        source = f"{_unnest([key, *fields])} AS new ({', '.join(map(_quoted, [key, *fields]))})"
        statement = f"UPDATE {table} SET {changes} FROM (SELECT * FROM {source}) new WHERE {table}.id = new.id"  # noqa: S608
        _execute(statement, _arrays(values))
    else:
        changes = ", ".join(f"{_quoted(field)} = %s" for field in fields)
        _execute_many(f"UPDATE {table} SET {changes} WHERE id = %s", [*values[1:], values[0]])  # noqa: S608


@contextmanager
def many_rows() -> Iterator[None]:
    """Let the open transaction write many rows, also into tables that are empty so far.

    PostgreSQL plans the checks of foreign keys and the statements of triggers once for a session. A plan that is made
    for an empty table reads the whole of it, for every row, while it grows to a hundred thousand. One that is made for
    a company which the statistics don't know reads all of its rows: it seems to have one. So they are planned anew, by
    indexes, and for any company. Meanwhile Python doesn't look for garbage: it would look through the rows again and
    again.
    """
    if connection.vendor == "postgresql":
        # Before PostgreSQL 18, compiling a statement that reads a whole table would then seem worth its time.
        _execute(
            "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),"
            " set_config('plan_cache_mode', 'force_generic_plan', true)",
            None,
        )
        _execute("DISCARD PLANS", None)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def analyze_changed(*models: type[Model]) -> None:
    """Let PostgreSQL count the rows of tables that have changed much since it did so last.

    It does so by itself, within minutes. Until then, the check that a row refers to one that is there, or that nothing
    refers to a deleted one, may read all rows of the company, by an index that seems to be as good as another. A role
    that may not analyze them skips them with a warning: `grant_app_role` allows it, from PostgreSQL 17 on.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text FROM pg_stat_user_tables WHERE relid = ANY (%s::regclass[])"
            " AND n_mod_since_analyze > greatest(1000, n_live_tup / 2)",
            [[model._meta.db_table for model in models]],
        )
        if changed := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(changed)}")  # names of the catalog


def analyze_new(*models: type[Model]) -> None:
    """Let PostgreSQL count the rows of tables that were empty when it counted last, those of this transaction, too.

    The checks of foreign keys are planned at the commit. Of a table that was never counted, each of a company's rows
    would be read for each check.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE oid = ANY (%s::regclass[]) AND reltuples <= 0",
            [[model._meta.db_table for model in models]],
        )
        if new := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(new)}")  # names of the catalog


def among(field: str, values: Iterable[Any] | Expression) -> Any:
    """Return the condition that a column has one of the values. However many they are, they are one parameter.

    Args:
        values: or a slot of a prepared query, which `as_list` fills.
    """
    return _Among(F(field), values if isinstance(values, Expression) else list(values))


class _Among(Lookup):
    """A lookup with a list of values as they are stored: numbers or texts."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        values: Any = self.rhs if isinstance(self.rhs, Expression) else as_list(self.rhs, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY (%s::{_array_type(self.lhs.output_field)})", [*parameters, values]
        return f"{column} IN (SELECT value FROM json_each(%s))", [*parameters, values]  # noqa: S608


def as_list(values: Iterable[Any], connection: Any) -> str:
    """Return numbers or texts as one parameter of this database."""
    return _array(list(values)) if connection.vendor == "postgresql" else json.dumps(list(values))


def _columns(fields: Sequence[Any], rows: Rows) -> list[list[Any]]:
    """Return the values of each field, as they are stored. No rows have no columns."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for place, (field, column) in enumerate(zip(fields, columns, strict=True) if columns else ()):
        if isinstance(field, JSONField):
            columns[place] = [None if value is None else json.dumps(value) for value in column]
    return columns


def _arrays(columns: Sequence[Sequence[Any]]) -> list[str]:
    return [_array(column) for column in columns]


def _array(values: Sequence[Any]) -> str:
    """Return the text of a PostgreSQL array."""
    kinds = set(map(type, values))
    if kinds == {str}:  # mostly texts without any mark to escape
        joined = '","'.join(values)
        if "\\" not in joined and joined.count('"') == 2 * (len(values) - 1):
            return f'{{"{joined}"}}'
    if kinds.isdisjoint({int, float}):  # of which some are equal, and not the same
        distinct = set(values)
        if len(distinct) <= len(values) // 2:  # the time of an import, a state, nothing
            texts = {value: _ELEMENTS[type(value)](value) for value in distinct}
            return f"{{{','.join([texts[value] for value in values])}}}"
    return f"{{{','.join([_ELEMENTS[type(value)](value) for value in values])}}}"


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Elements(dict[type, Callable[[Any], str]]):
    """The way to write a value, by its type."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        for base, write in ((str, _text), (date, lambda value: f'"{value.isoformat()}"')):
            if issubclass(kind, base):  # choices; times
                self[kind] = write
                return write
        raise TypeError(f"{kind.__name__} can't be written in bulk.")


_ELEMENTS = _Elements({type(None): lambda _: "NULL", str: _text, bool: str, int: str, float: repr})


def _unnest(fields: Sequence[Any]) -> str:
    """Return the SQL of a table with one array for each field."""
    return f"ROWS FROM ({', '.join(f'unnest(%s::{_array_type(field)})' for field in fields)})"


def _array_type(field: Field) -> str:
    # Without its length: an explicit cast would cut the text off, where the column refuses it.
    kind = re.sub(r"\(.*\)", "", str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection)))
    return f"{kind}[]"


def _quoted(field: Any) -> str:
    return str(connection.ops.quote_name(field.column))


def _execute(statement: str, parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _execute_many(statement: str, columns: Sequence[Sequence[Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(zip(*columns, strict=True)))

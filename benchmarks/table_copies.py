"""Copies of the table of calls with some of its indexes: to write to, and to throw away."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from benchmarks.questions import QUESTIONS
from calls.models import Call

TABLE = Call._meta.db_table
ON_TABLE = f" ON {TABLE} "
DECLARED = [index.name for index in Call._meta.indexes]
DOCUMENTED = [name for name in DECLARED if name in {question.index for question in QUESTIONS}]


@dataclass(frozen=True)
class Copy:
    """A table like that of calls, with its keys, guards, foreign keys and policy, and these indexes."""

    name: str
    table: str
    indexes: list[str]
    triggers: bool = False


COPIES = [
    Copy("no index", "bench_calls_bare", []),
    Copy("documented", "bench_calls_documented", DOCUMENTED),
    Copy("all", "bench_calls_all", DECLARED),
    Copy("all, and triggers", "bench_calls_product", DECLARED, triggers=True),
]


def columns_of(model: type[Model]) -> list[str]:
    """Those that are written, without the id."""
    return [str(field.column) for field in model._meta.concrete_fields if not field.generated and field.name != "id"]


@contextmanager
def copies_of_calls() -> Iterator[list[Copy]]:
    """The copies, empty; gone afterwards. The last one only where the table has triggers."""
    copies = [copy for copy in COPIES if not copy.triggers or _triggers()]
    try:
        for copy in copies:
            _drop(copy)
            _create(copy)
        yield copies
    finally:
        for copy in copies:
            _drop(copy)


def _create(copy: Copy) -> None:
    statements = [f"CREATE TABLE {copy.table} (LIKE {TABLE} INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)"]
    for (definition,) in _ask(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
        " AND contype IN ('p', 'u', 'f') ORDER BY contype DESC",
        TABLE,
    ):
        statements.append(f"ALTER TABLE {copy.table} ADD {definition}")
    for (definition,) in _ask(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE indrelid = %s::regclass AND relname = ANY(%s)",
        TABLE,
        copy.indexes,
    ):
        _, _, how = definition.partition(" USING ")
        statements.append(f"CREATE INDEX ON {copy.table} USING {how}")
    for name, condition, check in _ask(
        "SELECT polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)"
        " FROM pg_policy WHERE polrelid = %s::regclass",
        TABLE,
    ):
        with_check = f" WITH CHECK ({check})" if check else ""
        statements.append(f"CREATE POLICY {name} ON {copy.table} USING ({condition}){with_check}")
    statements.append(f"ALTER TABLE {copy.table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    if copy.triggers:
        statements += [trigger.replace(ON_TABLE, f" ON {copy.table} ") for trigger in _triggers()]
    _run(statements)


def _triggers() -> list[str]:
    found = _ask(
        "SELECT pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", TABLE
    )
    return [definition for (definition,) in found]


def _drop(copy: Copy) -> None:
    _run([f"DROP TABLE IF EXISTS {copy.table}"])


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("%", "%%"), [])


def _ask(sql: str, *parameters: Any) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()

"""What PostgreSQL says of the statements behind a question."""

import json
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db import connection

ASKS = ("SELECT", "WITH", "(SELECT")


def indexes_used(ask: Callable[[], object]) -> list[str]:
    """The indexes through which the planner answers, in the order of the plans."""
    found: dict[str, None] = {}
    with connection.cursor() as cursor:
        for sql, parameters in _statements_of(ask):
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", parameters)
            plan = cursor.fetchone()[0]
            _collect((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"], found)
    return list(found)


def database_time(ask: Callable[[], object]) -> float:
    """Milliseconds that the statements of an answer take, as the driver sees them."""
    times: list[float] = []

    def clock(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        start = perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            times.append((perf_counter() - start) * 1000)

    with connection.execute_wrapper(clock):
        ask()
    return sum(times)


def _statements_of(ask: Callable[[], object]) -> list[tuple[str, Any]]:
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().upper().startswith(ASKS) and "set_config" not in sql:
            statements.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        ask()
    return statements


def _collect(node: dict[str, Any], found: dict[str, None]) -> None:
    if "Index Name" in node:
        found[node["Index Name"]] = None
    for child in node.get("Plans", []):
        _collect(child, found)

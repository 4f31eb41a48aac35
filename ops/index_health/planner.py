"""What the planner would do with a query, asked without running it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

MIN_ROWS_FOR_PLAN = 10_000  # fewer are read from end to end with good reason
PREPARED = "index_health_question"
SQLITE_INDEX = re.compile(r"USING (?:COVERING )?INDEX (\w+)")


def explain(connection: BaseDatabaseWrapper, query: str) -> dict[str, Any]:
    """The topmost node of PostgreSQL's plan."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
        plan = cursor.fetchone()[0]
    node: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return node


def explain_generic(connection: BaseDatabaseWrapper, query: str) -> dict[str, Any]:
    """The plan of a query with parameters ($1, $2) for values that nobody names: PostgreSQL expects average ones.

    EXPLAIN (GENERIC_PLAN) would do the same from PostgreSQL 16 on, and knows less of the parameters' types.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE {PREPARED} AS {query}")
        try:
            cursor.execute(
                "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s", [PREPARED]
            )
            values = ", ".join(["NULL"] * cursor.fetchone()[0])
            with transaction.atomic(using=connection.alias):  # without which an error would keep DEALLOCATE from us
                return explain(connection, f"EXECUTE {PREPARED}" + (f"({values})" if values else ""))
        finally:
            cursor.execute(f"DEALLOCATE {PREPARED}")


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def indexes_used(connection: BaseDatabaseWrapper, query: str) -> list[str]:
    """The names of the indexes through which a query with parameters would be answered."""
    if connection.vendor == "postgresql":
        return [node["Index Name"] for node in nodes_of(explain_generic(connection, query)) if "Index Name" in node]
    with connection.cursor() as cursor:
        asked, parameters = re.subn(r"\$\d+", "%s", query.replace("%", "%%"))
        cursor.execute(f"EXPLAIN QUERY PLAN {asked}", [None] * parameters)
        return [name for *_, detail in cursor.fetchall() for name in SQLITE_INDEX.findall(detail)]

"""Plans of PostgreSQL's query planner."""

import json
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

MIN_ROWS_FOR_PLAN = 10_000  # the planner rightly reads a smaller table from end to end
PREPARED = "index_health_question"


def explain(
    connection: BaseDatabaseWrapper, query: str, parameters: Any = None, *, options: str = ""
) -> dict[str, Any]:
    """Return the top node of a query's plan. `options` are further options of EXPLAIN, such as `ANALYZE, BUFFERS`."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({', '.join(filter(None, ['FORMAT JSON', options]))}) {query}", parameters)
        plan = cursor.fetchone()[0]
    node: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return node


def explain_generic(connection: BaseDatabaseWrapper, query: str) -> dict[str, Any]:
    """Return the top node of the plan of a query with parameters ($1, $2), which are planned as average values.

    EXPLAIN (GENERIC_PLAN) exists from PostgreSQL 16 on, and infers the types of fewer parameters.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE {PREPARED} AS {query}")
        try:
            cursor.execute(
                "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s", [PREPARED]
            )
            values = ", ".join(["NULL"] * cursor.fetchone()[0])
            with transaction.atomic(using=connection.alias):  # a savepoint: DEALLOCATE must work after an error
                return explain(connection, f"EXECUTE {PREPARED}" + (f"({values})" if values else ""))
        finally:
            cursor.execute(f"DEALLOCATE {PREPARED}")


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the node and all nodes below it, top first."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)


def indexes_used(plan: dict[str, Any]) -> list[str]:
    """Return the names of the indexes in a plan, without repeats, in the plan's order."""
    return list(dict.fromkeys(node["Index Name"] for node in nodes_of(plan) if "Index Name" in node))

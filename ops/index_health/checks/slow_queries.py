"""Slow statements without an index: pg_stat_statements finds them, HypoPG shows whether an index would help."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from crm.db.tenancy import tenant
from ops.index_health.catalog import CatalogTable, Database
from ops.index_health.catalog.postgresql import find_extension
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.planner import MIN_ROWS_FOR_PLAN, explain_generic, nodes_of
from ops.index_health.remediation import quote

MAX_STATEMENTS = 20  # those that took the most time in total
MAX_SHOWN = 300  # characters of a statement
MAX_COST_RATIO = 0.5  # of the present cost, for an index to be worth it
NO_COMPANY = 0  # plans with a tenant's planner settings; nothing is read

SLOWEST = """
SELECT query, calls, mean_exec_time FROM {schema}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mean_exec_time >= %s
    AND (queryid IS NULL OR query ~* '^\\s*(select|with|update|delete)\\M' AND query !~ '\\mpg_')
ORDER BY total_exec_time DESC LIMIT %s
"""
POLICY = re.compile(r"CASE WHEN .*? THEN true ELSE .*? END")  # row-level security adds it to every filter
SELECTED = re.compile(r"^SELECT [^()]{20,}? FROM(?= )")  # a long list of columns
COMPARED = re.compile(r"\((\w+)\)?(?:::[a-z ]+)? (=|<=?|>=?) ")


class Scan(NamedTuple):
    """A table that is read from end to end, with its filter's columns in the order of a suitable index."""

    table: CatalogTable
    columns: tuple[str, ...]


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    schema = find_extension(connection, "pg_stat_statements")
    if schema is None:
        yield SkippedCheck(
            "Slow statements are unknown: extension pg_stat_statements is not installed. See docs/index-maintenance.md."
        )
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SLOWEST.format(schema=schema), [settings.SLOW_STATEMENT_MS, MAX_STATEMENTS])
            slowest = cursor.fetchall()
    except DatabaseError as error:
        yield SkippedCheck(f"Slow statements are unknown: {str(error).strip()}.")
        return
    readable = [row for row in slowest if row[0] != "<insufficient privilege>"]
    hidden, failed = len(slowest) - len(readable), 0
    for query, calls, mean_ms in readable:
        try:
            plan = _explain(query)
        except DatabaseError:
            failed += 1
            continue
        for scan in dict.fromkeys(_find_scans(plan, database)):
            yield _make_finding(query, calls, mean_ms, scan, plan["Total Cost"])
    if hidden:
        yield SkippedCheck(f"{hidden} slow statements belong to other roles: GRANT pg_read_all_stats to read them.")
    if failed:
        yield SkippedCheck(f"{failed} slow statements can't be planned: the types of their parameters are unknown.")


def _explain(query: str) -> dict[str, Any]:
    with tenant(NO_COMPANY), transaction.atomic():
        return explain_generic(connection, query)


def _find_scans(plan: dict[str, Any], database: Database) -> Iterator[Scan]:
    for node in nodes_of(plan):
        table = database.tables.get(node.get("Relation Name", ""))
        condition = POLICY.sub("", node.get("Filter", "")).strip("() ")
        if node["Node Type"] == "Seq Scan" and table and table.rows >= MIN_ROWS_FOR_PLAN and condition:
            compared = COMPARED.findall(f"({condition})")
            equal = [column for column, operator in compared if operator == "="]
            ranges = [column for column, operator in compared if operator != "=" and column not in equal]
            yield Scan(table, tuple(dict.fromkeys(equal + ranges[:1])))


def _make_finding(query: str, calls: int, mean_ms: float, scan: Scan, cost: float) -> Finding:
    text = SELECTED.sub("SELECT … FROM", " ".join(query.split()), count=1)
    text = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    wanted = f"{scan.table.name} ({', '.join(scan.columns)})"
    what_if, remedy = "", ""
    if scan.columns:
        would_cost = _cost_with_index(scan, query)
        if would_cost is None:
            what_if = f" An index on {wanted} may help: install extension hypopg to check."
        elif would_cost <= cost * MAX_COST_RATIO:
            what_if = (
                f" With an index on {wanted} the planner expects a cost of {would_cost:,.0f} instead of {cost:,.0f}."
            )
            remedy = f"Declare an index on {wanted}, see docs/adding-an-index.md."
    return Finding(
        FindingKind.SLOW_STATEMENT,
        scan.table.name,
        "",
        f"A slow statement reads all {scan.table.rows:,} rows ({calls:,} calls, {mean_ms:,.0f} ms on average):"
        f" {text}{'' if text.endswith(('.', '…')) else '.'}{what_if}",
        remedy=remedy,
    )


def _cost_with_index(scan: Scan, query: str) -> float | None:
    """Return the query's cost with an index on the scan's columns, or None without HypoPG."""
    schema = find_extension(connection, "hypopg")
    if schema is None:
        return None
    index = f"CREATE INDEX ON {quote(scan.table.name)} ({', '.join(map(quote, scan.columns))})"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {schema}.hypopg_create_index(%s)", [index])  # the extension's schema
        try:
            cost: float = _explain(query)["Total Cost"]
            return cost
        finally:
            cursor.execute(f"SELECT {schema}.hypopg_reset()")  # the extension's schema

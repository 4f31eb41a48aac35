"""Slow statements that no index serves, by pg_stat_statements, and whether one would: by HypoPG, where it is there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from crm.db.tenancy import tenant
from ops.index_health.catalog import CatalogTable, Database
from ops.index_health.extensions import find_extension
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.planner import MIN_ROWS_FOR_PLAN, explain_generic, nodes_of
from ops.index_health.remediation import quote

MOST = 20  # statements, those that took the most time together
SHOWN = 300  # characters of a statement
WORTH = 0.5  # of what it costs now
NOBODY = 0  # no company's id: it is planned for as a tenant, for whom pages are cheap, and nothing is read

SLOWEST = """
SELECT query, calls, mean_exec_time FROM {schema}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mean_exec_time >= %s
    AND (queryid IS NULL OR query ~* '^\\s*(select|with|update|delete)\\M' AND query !~ '\\mpg_')
ORDER BY total_exec_time DESC LIMIT %s
"""
POLICY = re.compile(r"CASE WHEN .*? THEN true ELSE .*? END")  # what row-level security adds to every filter
SELECTED = re.compile(r"^SELECT [^()]{20,}? FROM(?= )")  # dozens of columns that say nothing
COMPARED = re.compile(r"\((\w+)\)?(?:::[a-z ]+)? (=|<=?|>=?) ")


@dataclass(frozen=True)
class Scan:
    """A table read from end to end, with the columns by which its rows are picked, in the order an index would want."""

    table: CatalogTable
    columns: tuple[str, ...]


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    if database.vendor != "postgresql":
        return
    schema = find_extension(connection, "pg_stat_statements")
    if schema is None:
        yield SkippedCheck("Slow statements are unknown: extension pg_stat_statements is not installed.")
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SLOWEST.format(schema=schema), [settings.SLOW_STATEMENT_MS, MOST])
            slowest = cursor.fetchall()
    except DatabaseError as error:
        yield SkippedCheck(f"Slow statements are unknown: {str(error).strip()}.")
        return
    hidden = sum(query == "<insufficient privilege>" for query, *_ in slowest)
    failed = 0
    for query, calls, mean_ms in slowest:
        if query == "<insufficient privilege>":
            continue
        try:
            plan = _explain(query)
        except DatabaseError:
            failed += 1
            continue
        for scan in dict.fromkeys(_find_scans(plan, database)):
            yield _word(query, calls, mean_ms, scan, plan["Total Cost"])
    if hidden:
        yield SkippedCheck(
            f"{hidden} slow statements are other roles': only a member of pg_read_all_stats may read them."
        )
    if failed:
        yield SkippedCheck(f"{failed} slow statements could not be planned: their parameters' types are unknown.")


def _explain(query: str) -> dict[str, Any]:
    with tenant(NOBODY), transaction.atomic():
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


def _word(query: str, calls: int, mean_ms: float, scan: Scan, cost: float) -> Finding:
    text = SELECTED.sub("SELECT … FROM", " ".join(query.split()), count=1)
    text = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    wanted = f"{scan.table.name} ({', '.join(scan.columns)})"
    what_if, remedy = "", ""
    if scan.columns:
        would_cost = _imagine(scan, query)
        if would_cost is None:
            what_if = f" An index on {wanted} may serve it: extension hypopg would tell."
        elif would_cost <= cost * WORTH:
            what_if = f" With an index on {wanted} the planner expects a cost of {would_cost:,.0f}, not {cost:,.0f}."
            remedy = f"Declare an index on {wanted}, see docs/adding-an-index.md."
    return Finding(
        FindingKind.SLOW_STATEMENT,
        scan.table.name,
        "",
        f"It is read from end to end ({scan.table.rows:,} rows), {calls:,} × in {mean_ms:,.0f} ms on average, by"
        f" {text}{'' if text.endswith(('.', '…')) else '.'}{what_if}",
        remedy=remedy,
    )


def _imagine(scan: Scan, query: str) -> float | None:
    """What the query would cost with an index on the scan's columns; None where HypoPG is not there to say."""
    schema = find_extension(connection, "hypopg")
    if schema is None:
        return None
    index = f"CREATE INDEX ON {quote(scan.table.name)} ({', '.join(map(quote, scan.columns))})"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {schema}.hypopg_create_index(%s)", [index])  # from the catalogue
        try:
            cost: float = _explain(query)["Total Cost"]
            return cost
        finally:
            cursor.execute(f"SELECT {schema}.hypopg_reset()")  # from the catalogue

"""Unanswered questions: indexes that the planner doesn't use for their question."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models

from crm.db.indexes import Index
from crm.db.tenancy import TenantModel, all_tenants, tenant
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.catalog.postgresql import fetch
from ops.index_health.findings import Finding, FindingKind, SkippedCheck
from ops.index_health.pairing import is_same
from ops.index_health.planner import MIN_ROWS_FOR_PLAN, explain_generic, indexes_used
from ops.index_health.remediation import quote

PAGE = 100
SAMPLED_PAGES = 1000  # of a table, to find the company with the most rows


def find(database: Database) -> Iterator[Finding | SkippedCheck]:
    """Ask the planner the question of each index that exists as declared. Drift reports the others."""
    small: list[str] = []
    for model, index in ((one, index) for one in apps.get_models() for index in one._meta.indexes):
        declared, existing = (database.declared or {}).get(index.name), database.indexes.get(index.name)
        if not (isinstance(index, Index) and index.fields_orders and declared and existing and existing.valid):
            continue
        if not is_same(existing, declared):
            continue
        used = _find_answering_indexes(model, index, declared.condition)
        if index.name in used:
            continue
        if database.tables[declared.table].rows < MIN_ROWS_FOR_PLAN:
            small.append(index.name)
            continue
        how = f"through {', '.join(used)}" if used else "by reading the whole table"
        yield Finding(
            FindingKind.UNANSWERED,
            declared.table,
            declared.name,
            f"“{index.question}” is answered {how}.",
            remedy=f"ANALYZE {quote(declared.table)}",
            known=any(_is_as_good(database, name, declared) for name in used),
        )
    if small:
        yield SkippedCheck(
            f"The questions of {len(small)} indexes were not judged: their tables have fewer than {MIN_ROWS_FOR_PLAN:,}"
            f" rows, too few to need an index. {', '.join(small)}"
        )


def _is_as_good(database: Database, name: str, index: CatalogIndex) -> bool:
    """Return whether another declared index starts with the same keys. The redundancy check reports that."""
    other = (database.declared or {}).get(name)
    return other is not None and other.columns[: len(index.columns)] == index.columns


def _find_answering_indexes(model: type[models.Model], index: Index, condition: str) -> list[str]:
    """Return the indexes that the planner chooses for the question, asked for the company with the most rows.

    The question selects a page of the newest rows if the last key is a date or time, else it counts rows. Every other
    key is compared with a value: a parameter, except the company's.
    """
    fields: list[Any] = [model._meta.get_field(name) for name, _ in index.fields_orders]
    newest_by = fields.pop() if isinstance(fields[-1], models.DateField | models.TimeField) else None
    company = next((field for field in fields if field.name == "company" and issubclass(model, TenantModel)), None)
    compared = [quote(field.column) for field in fields if field is not company]
    conditions = [f"{column} = ${number}" for number, column in enumerate(compared, 1)]
    conditions += [condition] if condition else []
    table, company_id = quote(model._meta.db_table), 0
    if company:
        with all_tenants():
            company_id = _find_largest(table, quote(company.column))
        conditions.append(f"{quote(company.column)} = {company_id}")
    rows = f"FROM {table} WHERE {' AND '.join(conditions) or 'true'}"
    query = f"SELECT count(*) {rows}"
    if newest_by:
        query = f"SELECT * {rows} ORDER BY {quote(newest_by.column)} DESC LIMIT {PAGE}"
    with tenant(company_id) if company else all_tenants():
        return indexes_used(explain_generic(connection, query))


def _find_largest(table: str, column: str) -> int:
    """Return the id of the company with the most rows in a sample of the table, or 0."""
    pages = "SELECT least(100, 100.0 * %s / greatest(relpages, 1)) FROM pg_class WHERE oid = %s::regclass"
    [percent] = fetch(connection, pages, [SAMPLED_PAGES, table])
    largest = (
        f"SELECT {column} FROM {table} TABLESAMPLE SYSTEM (%s) WHERE {column} IS NOT NULL"  # noqa: S608  # names
        " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    return next((company_id for (company_id,) in fetch(connection, largest, percent)), 0)

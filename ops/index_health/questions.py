"""Questions of the declared indexes, in words and as SQL.

The SQL selects a page of the newest rows if the index's last key is a date or time, else it counts rows. Every other
key is compared with a value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from crm.db.indexes import Index
from crm.db.tenancy import TenantModel, all_tenants, tenant
from ops.index_health.catalog import CatalogIndex, Database
from ops.index_health.ownership import named_declarations
from ops.index_health.planner import explain_generic, indexes_used
from ops.index_health.remediation import quote

PAGE = 100
SAMPLED_PAGES = 1000  # of a table, to find the company with the most rows


@dataclass(frozen=True)
class IndexQuestion:
    """The question of one index. `company_column` is empty if the question covers all companies."""

    declared: CatalogIndex
    text: str
    company_column: str
    conditions: tuple[str, ...]
    newest_by: str

    def sql(self, company_id: int = 0) -> str:
        """Return the query, with a parameter ($1, $2) for each value except the company's."""
        of_company = [f"{self.company_column} = {company_id}"] if self.company_column else []
        conditions = " AND ".join([*of_company, *self.conditions])
        rows = f"FROM {quote(self.declared.table)}" + (f" WHERE {conditions}" if conditions else "")
        if self.newest_by:
            return f"SELECT * {rows} ORDER BY {self.newest_by} DESC LIMIT {PAGE}"
        return f"SELECT count(*) {rows}"


def read_questions(database: Database) -> Iterator[IndexQuestion]:
    """Yield the question of each index that a model declares on columns, in the order of the models."""
    for model in apps.get_models():
        for index in model._meta.indexes:
            declared = (database.declared or {}).get(index.name)
            if declared and isinstance(index, Index) and index.fields_orders:
                yield _make_question(model, index, declared)


def question_of(name: str) -> tuple[str, str]:
    """Return the declared question of an index and who asks it; both are empty for other indexes."""
    index = named_declarations().get(name)
    return (index.question, index.asked_by) if isinstance(index, Index) else ("", "")


def find_indexes(question: IndexQuestion) -> list[str]:
    """Return the indexes that the planner chooses for the question, asked for the company with the most rows."""
    with all_tenants():
        if not question.company_column:
            return indexes_used(explain_generic(connection, question.sql()))
        company_id = _find_largest(question)
    with tenant(company_id):
        return indexes_used(explain_generic(connection, question.sql(company_id)))


def _make_question(model: type[models.Model], index: Index, declared: CatalogIndex) -> IndexQuestion:
    fields: list[Any] = [model._meta.get_field(name) for name, _ in index.fields_orders]
    company = [field for field in fields if field.name == "company" and issubclass(model, TenantModel)]
    newest_by = [field for field in fields[-1:] if isinstance(field, (models.DateField, models.TimeField))]
    compared = [field for field in fields if field not in company + newest_by]
    return IndexQuestion(
        declared=declared,
        text=index.question,
        company_column="".join(quote(field.column) for field in company),
        conditions=(
            *(f"{quote(field.column)} = ${number}" for number, field in enumerate(compared, 1)),
            *filter(None, [declared.condition]),
        ),
        newest_by="".join(quote(str(field.column)) for field in newest_by),
    )


def _find_largest(question: IndexQuestion) -> int:
    """Return the id of the company with the most rows in a sample of the table, or 0."""
    table, column = quote(question.declared.table), question.company_column
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least(100, 100.0 * %s / greatest(relpages, 1)) FROM pg_class WHERE oid = %s::regclass",
            [SAMPLED_PAGES, table],
        )
        percent = cursor.fetchone()[0]
        cursor.execute(
            f"SELECT {column} FROM {table} TABLESAMPLE SYSTEM (%s) WHERE {column} IS NOT NULL"  # noqa: S608  # names
            " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
            [percent],
        )
        row = cursor.fetchone()
    return row[0] if row else 0

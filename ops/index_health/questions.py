"""The question of each declared index, in words and in SQL, made from the declaration.

A page of the newest where the last key is a time, else a count; whatever else an index is by is compared with a value.
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
from ops.index_health.planner import indexes_used
from ops.index_health.remediation import quote

PAGE = 100
SAMPLED_PAGES = 1000  # of a table, to find whose rows are most


@dataclass(frozen=True)
class IndexQuestion:
    """`company` is the column of the company of whose rows alone it is asked; empty where it is asked over all."""

    declared: CatalogIndex
    words: str
    company: str
    conditions: tuple[str, ...]
    newest_by: str

    def sql(self, company_id: int = 0) -> str:
        """With a parameter ($1, $2) for each value but the company's."""
        of_company = [f"{self.company} = {company_id}"] if self.company else []
        conditions = " AND ".join([*of_company, *self.conditions])
        rows = f"FROM {quote(self.declared.table)}" + (f" WHERE {conditions}" if conditions else "")
        if self.newest_by:
            return f"SELECT * {rows} ORDER BY {self.newest_by} DESC LIMIT {PAGE}"
        return f"SELECT count(*) {rows}"


def read_questions(database: Database) -> Iterator[IndexQuestion]:
    """Of each of our indexes that is declared on columns, in the order of the models."""
    for model in apps.get_models():
        for index in model._meta.indexes:
            declared = (database.declared or {}).get(index.name)
            if declared and isinstance(index, Index) and index.fields_orders:
                yield _word(model, index, declared)


def question_of(name: str) -> tuple[str, str]:
    """The words in which the index of this name is declared, and who asks; empty where none are."""
    index = named_declarations().get(name)
    return (index.question, index.asked_by) if isinstance(index, Index) else ("", "")


def find_indexes(question: IndexQuestion) -> list[str]:
    """Through which indexes the database would answer, for the company with the most rows."""
    with all_tenants():
        if not question.company:
            return indexes_used(connection, question.sql())
        company_id = _find_largest(question)
    with tenant(company_id):
        return indexes_used(connection, question.sql(company_id))


def _word(model: type[models.Model], index: Index, declared: CatalogIndex) -> IndexQuestion:
    fields: list[Any] = [model._meta.get_field(name) for name, _ in index.fields_orders]
    company = [field for field in fields if field.name == "company" and issubclass(model, TenantModel)]
    newest_by = [field for field in fields[-1:] if isinstance(field, (models.DateField, models.TimeField))]
    compared = [field for field in fields if field not in company + newest_by]
    return IndexQuestion(
        declared=declared,
        words=index.question,
        company="".join(quote(field.column) for field in company),
        conditions=(
            *(f"{quote(field.column)} = ${number}" for number, field in enumerate(compared, 1)),
            *filter(None, [declared.condition]),
        ),
        newest_by="".join(quote(str(field.column)) for field in newest_by),
    )


def _find_largest(question: IndexQuestion) -> int:
    """The company with the most rows, by a sample; any on SQLite, whose planner asks for no value; 0 where none has."""
    table = quote(question.declared.table)
    sample = ""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT least(100, 100.0 * %s / greatest(relpages, 1)) FROM pg_class WHERE oid = %s::regclass",
                [SAMPLED_PAGES, table],
            )
            sample = f"TABLESAMPLE SYSTEM ({cursor.fetchone()[0]})"
        cursor.execute(
            f"SELECT {question.company} FROM {table} {sample} WHERE {question.company} IS NOT NULL"  # noqa: S608  # names
            " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
        row = cursor.fetchone()
    return row[0] if row else 0

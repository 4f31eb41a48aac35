"""Prepared queries: Django builds their SQL once, and each run fills in its values.

Building a query of a list takes Django longer than PostgreSQL needs to answer it. A query is prepared for a role, not
for a user: it holds no value of one request, only slots for them.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BigIntegerField, DateTimeField, Expression, Field, QuerySet
from django.utils import timezone

from crm.db.bulk import as_list
from crm.db.tenancy import ALL, active_company, company_in_queries, reading_connection

Statement = tuple[str, list[Any], Any] | None  # the SQL, its slots and constants, Django's compiler; None: no rows


class Slot(Expression):
    """A value that each run of a prepared query fills in."""

    def __init__(self, name: str, field: Field | None = None) -> None:
        super().__init__(output_field=field or BigIntegerField())
        self.name = name

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        return "%s", [self]

    def fill(self, values: dict[str, Any], connection: Any) -> Any:
        """Return the value as a parameter of this database."""
        value = values[self.name]
        if isinstance(value, set):
            return as_list(value, connection)
        return self.output_field.get_db_prep_value(value, connection)


class Reader(Slot):
    """A stand-in for all users with a role, or for all API tokens with it: for `crm.api.base.roles.visible`."""

    def __init__(self, user: Any) -> None:
        super().__init__("user")
        self.role, self.api_token = user.role, bool(getattr(user, "api_token", None))

    @property
    def shape(self) -> tuple[str, bool]:
        """The facts on which a query may depend."""
        return self.role, self.api_token


IDS, NOW = Slot("ids"), Slot("now", DateTimeField())


def prepared(build: Callable[..., QuerySet]) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """Make a function that runs this query: `run(ids=…)` or `run(user, ids=…)` returns rows, as `values_list` has them.

    `build` returns a `values_list` of some columns. It is called once, or once for each role: in place of the user it
    gets a stand-in. Other values, and the time, must be slots.
    """

    def run(*users: Any, **values: Any) -> Iterator[tuple[Any, ...]]:
        for user in users:
            values["user"] = user.pk
        readers = [Reader(user) for user in users]
        return run_prepared(build, tuple(reader.shape for reader in readers), lambda: build(*readers), **values)

    return run


def run_prepared(
    name: Any, shape: tuple[Any, ...], build: Callable[[], QuerySet], *, limit: int | None = None, **values: Any
) -> Iterator[tuple[Any, ...]]:
    """Run the query that `build` makes, or has made before for the same name and shape.

    Args:
        limit: the number of rows at most. The query itself must have none.
    """
    connection, company = reading_connection(), active_company()
    statements: dict[Any, Statement] = connection.__dict__.setdefault("prepared_queries", {})
    key = (name, *shape, company == ALL)
    if key not in statements:
        with company_in_queries(company if company == ALL else Slot("company")):
            statements[key] = _compile(build(), connection)
    statement = statements[key]
    if statement is None:
        return iter(())
    sql, parameters, compiler = statement
    values |= {"company": company, "now": timezone.now()}
    filled = [each.fill(values, connection) if isinstance(each, Slot) else each for each in parameters]
    if limit is not None:
        sql, filled = f"{sql} LIMIT %s", [*filled, limit]
    with connection.cursor() as cursor:
        cursor.execute(sql, filled)
        rows: Iterator[tuple[Any, ...]] = compiler.results_iter([cursor.fetchall()], tuple_expected=True)
    return rows


def _compile(rows: QuerySet, connection: Any) -> Statement:
    compiler = rows.query.get_compiler(connection=connection)
    try:
        return (*compiler.as_sql(), compiler)
    except EmptyResultSet:  # of a role that may see nothing
        return None

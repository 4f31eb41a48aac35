"""The user of a token, read with the company and the session in one constant statement.

Each request begins with it. Django would compile it anew each time, which takes longer than PostgreSQL needs for it. On
PostgreSQL it is a function (`crm.db.request_functions`), which also counts the request for the user's rate limit.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.timezone import now
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from crm.db.rate_counters import present_minute
from crm.db.replicas import POSITION_OF_USER, PRIMARY
from crm.form_fields import is_id
from crm.models import Company, User

USER, COMPANY = ([*model._meta.concrete_fields] for model in (User, Company))
Converter = Callable[[Any, Any, Any], Any]


def read_user(pk: Any, *, session: str) -> User | None:
    """Return the user with the company, and with `signed_in`: whether the session is the user's and has not ended.

    Also with `request_count`, None if the request wasn't counted, and with replicas with `write_position` and
    `primary_position`. The active tenant must be all companies: the user's is unknown.
    """
    if not is_id(str(pk)):
        return None
    moment = connection.ops.adapt_datetimefield_value(now())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            counter = counter_of(int(pk)) if settings.THROTTLE_USER_PER_MIN else None
            statement = _postgresql_statement(with_positions=bool(settings.REPLICAS))
            cursor.execute(statement, [counter, present_minute(), session, moment, int(pk)])
        else:
            cursor.execute(_statement(), [session, moment, int(pk)])
        row = cursor.fetchone()
    if row is None:
        return None
    values = [*row]
    for position, column, converters in _converters():
        for convert in converters:
            values[position] = convert(values[position], column, connection)
    user: Any = _build(User, USER, values)
    company = _build(Company, COMPANY, values[len(USER) :]) if user.company_id else None
    User._meta.get_field("company").set_cached_value(user, company)
    user.signed_in, user.request_count, *written = values[len(USER) + len(COMPANY) :]
    if written:
        user.write_position, user.primary_position = written
    return user


def counter_of(user_id: int) -> str:
    """Return the key of the counter of a user's requests."""
    return f"user {user_id}"


def _build(model: Any, fields: Sequence[Any], values: Sequence[Any]) -> Any:
    return model.from_db(connection.alias, [field.attname for field in fields], values[: len(fields)])


def _columns() -> list[str]:
    quote = connection.ops.quote_name
    tables = [(User, USER), (Company, COMPANY)]
    return [f"{quote(model._meta.db_table)}.{quote(str(field.column))}" for model, fields in tables for field in fields]


@cache
def _postgresql_statement(*, with_positions: bool) -> str:
    columns = [*_columns(), "found.signed_in", "found.request_count"]
    if with_positions:
        columns += [POSITION_OF_USER, PRIMARY]
    return (
        f"SELECT {', '.join(columns)} FROM user_of_token(%s, %s, %s, %s, %s) AS found"  # noqa: S608  # names of models
        " CROSS JOIN LATERAL (SELECT (found.user_row).*) AS users"
        " CROSS JOIN LATERAL (SELECT (found.company_row).*) AS companies"
    )


@cache
def _statement() -> str:
    """Return the statement of SQLite, which doesn't count the request."""
    signed_in = (
        f"SELECT 1 FROM {OutstandingToken._meta.db_table} WHERE jti = %s AND user_id = users.id AND expires_at > %s"  # noqa: S608  # names of models
    )
    return (
        f"SELECT {', '.join(_columns())}, EXISTS ({signed_in}), NULL FROM users"  # noqa: S608  # names of models
        " LEFT JOIN companies ON companies.id = users.company_id WHERE users.id = %s"
    )


@cache
def _converters() -> list[tuple[int, Any, list[Converter]]]:
    """Return what turns the database's values into Python's: position, column and functions. PostgreSQL needs none."""
    columns = [field.cached_col for field in (*USER, *COMPANY)]
    found = [
        (position, column, [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)])
        for position, column in enumerate(columns)
    ]
    return [each for each in found if each[2]]

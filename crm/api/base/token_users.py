"""The user of a token, read with the company and the session in one constant statement.

Each request begins with it. Django would compile it anew each time, which takes longer than PostgreSQL needs for it.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.timezone import now
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from crm.db.replicas import POSITION_OF_USER, PRIMARY
from crm.models import Company, User

USER, COMPANY = ([*model._meta.concrete_fields] for model in (User, Company))
Converter = Callable[[Any, Any, Any], Any]


def read_user(pk: Any, *, session: str) -> User | None:
    """Return the user with the company, and with `signed_in`: whether the session is the user's and has not ended.

    With replicas also with `write_position` and `primary_position`. The active tenant must be all companies: the user's
    is unknown.
    """
    with connection.cursor() as cursor:
        at = connection.ops.adapt_datetimefield_value(now())
        cursor.execute(_statement(with_positions=bool(settings.REPLICAS)), [session, at, int(pk)])
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
    user.signed_in, *written = values[len(USER) + len(COMPANY) :]
    if written:
        user.write_position, user.primary_position = written
    return user


def _build(model: Any, fields: Sequence[Any], values: Sequence[Any]) -> Any:
    return model.from_db(connection.alias, [field.attname for field in fields], values[: len(fields)])


@cache
def _statement(*, with_positions: bool) -> str:
    quote = connection.ops.quote_name
    users, companies, sessions = (quote(model._meta.db_table) for model in (User, Company, OutstandingToken))
    columns = [f"{users}.{quote(str(field.column))}" for field in USER]
    columns += [f"{companies}.{quote(str(field.column))}" for field in COMPANY]
    columns.append(
        f"EXISTS (SELECT 1 FROM {sessions} WHERE jti = %s AND user_id = {users}.id AND expires_at > %s)"  # noqa: S608  # names of models
    )
    if with_positions:
        columns += [POSITION_OF_USER, PRIMARY]
    return (
        f"SELECT {', '.join(columns)} FROM {users}"  # noqa: S608  # names of models
        f" LEFT JOIN {companies} ON {companies}.id = {users}.company_id WHERE {users}.id = %s"
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

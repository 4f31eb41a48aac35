"""The user of a token, read with the company and the session in one constant statement.

Each request begins with it. Django would compile it anew each time, which takes longer than PostgreSQL needs for it. On
PostgreSQL it also counts the request for the user's rate limit: a statement of its own would cost as much again.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.timezone import now
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from crm.db.rate_counters import COUNT_UP, present_minute
from crm.db.replicas import POSITION_OF_USER, PRIMARY
from crm.form_fields import is_id
from crm.models import Company, User

USER, COMPANY = ([*model._meta.concrete_fields] for model in (User, Company))
Converter = Callable[[Any, Any, Any], Any]


def read_user(pk: Any, *, session: str) -> User | None:
    """Return the user with the company, and with `signed_in`: whether the session is the user's and has not ended.

    With replicas also with `write_position` and `primary_position`; if the request was counted, with `request_count`.
    The active tenant must be all companies: the user's is unknown.
    """
    if not is_id(str(pk)):
        return None
    counts = connection.vendor == "postgresql" and settings.THROTTLE_USER_PER_MIN > 0
    counter: list[Any] = [counter_of(int(pk)), present_minute()] if counts else []
    with connection.cursor() as cursor:
        at = connection.ops.adapt_datetimefield_value(now())
        statement = _statement(with_positions=bool(settings.REPLICAS), counts=counts)
        cursor.execute(statement, [*counter, session, at, int(pk)])
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
    user.signed_in, *more = values[len(USER) + len(COMPANY) :]
    if counts:
        user.request_count = more.pop()
    if more:
        user.write_position, user.primary_position = more
    return user


def counter_of(user_id: int) -> str:
    """Return the key of the counter of a user's requests."""
    return f"user {user_id}"


def _build(model: Any, fields: Sequence[Any], values: Sequence[Any]) -> Any:
    return model.from_db(connection.alias, [field.attname for field in fields], values[: len(fields)])


@cache
def _statement(*, with_positions: bool, counts: bool) -> str:
    quote = connection.ops.quote_name
    users, companies, sessions = (quote(model._meta.db_table) for model in (User, Company, OutstandingToken))
    columns = [f"{users}.{quote(str(field.column))}" for field in USER]
    columns += [f"{companies}.{quote(str(field.column))}" for field in COMPANY]
    columns.append(
        f"EXISTS (SELECT 1 FROM {sessions} WHERE jti = %s AND user_id = {users}.id AND expires_at > %s)"  # noqa: S608  # names of models
    )
    if with_positions:
        columns += [POSITION_OF_USER, PRIMARY]
    if counts:
        columns.append("(SELECT count FROM counted)")
    return (
        f"{f'WITH counted AS ({COUNT_UP}) ' if counts else ''}SELECT {', '.join(columns)} FROM {users}"  # noqa: S608  # names of models
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

"""On whose behalf rows are written, for the evidence that triggers keep (`crm.db.audit`).

A door says it once: `with acting_as(user.pk, user.username):`. SQLite's triggers ask this process, by functions of
ours; PostgreSQL's ask settings that are LOCAL to the transaction, since a pooler would carry a session's to others.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")
Actor = tuple[int | None, str]

_actor: ContextVar[Actor] = ContextVar("actor", default=(None, ""))
_recorded: ContextVar[bool] = ContextVar("recorded", default=True)


@contextmanager
def acting_as(user_id: int | None, name: str) -> Iterator[None]:
    """What is written inside is this user's doing, or, without an id, that of the program `name`.

    On PostgreSQL the inside is one transaction, or part of the one that is open.
    """
    with _told(_actor, (user_id, name), _tell_actor):
        yield


@contextmanager
def audit_disabled() -> Iterator[None]:
    """Write without evidence. For demo data alone: rows that nobody made, in millions. PostgreSQL: as `acting_as`."""
    with _told(_recorded, False, _tell_recorded):
        yield


def add_functions(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Give a new SQLite connection the functions that the triggers call."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("crm_actor_id", 0, lambda: _actor.get()[0])
        connection.connection.create_function("crm_actor", 0, lambda: _actor.get()[1])
        connection.connection.create_function("crm_recorded", 0, lambda: _recorded.get())


@contextmanager
def _told(variable: ContextVar[T], value: T, tell: Callable[[T], None]) -> Iterator[None]:
    """Set the variable, and on PostgreSQL tell it as well; afterwards what was before holds again."""
    before, token = variable.get(), variable.set(value)
    try:
        if connection.vendor != "postgresql":
            yield
            return
        nested = connection.in_atomic_block
        with transaction.atomic():
            tell(value)
            yield
            if nested and not connection.needs_rollback:  # else the setting ends with the transaction
                tell(before)
    finally:
        variable.reset(token)


def _tell_actor(actor: Actor) -> None:
    user_id, name = actor
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('crm.actor_id', %s, true), set_config('crm.actor', %s, true)",
            ["" if user_id is None else str(user_id), name],
        )


def _tell_recorded(recorded: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('crm.recorded', %s, true)", ["" if recorded else "off"])

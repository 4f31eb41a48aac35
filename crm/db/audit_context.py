"""Actor and on/off switch of the audit triggers (`crm.db.audit`).

SQLite's triggers call functions of this process. PostgreSQL's triggers read settings that are LOCAL to the transaction,
since a pooler would pass a session's settings on to other clients.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from crm.db.tenancy import tenant

T = TypeVar("T")
Actor = tuple[int | None, str]

_actor: ContextVar[Actor] = ContextVar("actor", default=(None, ""))
_recorded: ContextVar[bool] = ContextVar("recorded", default=True)
_moved_to: ContextVar[int | None] = ContextVar("moved_to", default=None)


@contextmanager
def acting_as(user_id: int | None, name: str) -> Iterator[None]:
    """Record changes inside the block as made by this user, or, without an id, by the program `name`.

    On PostgreSQL the block is one transaction, or part of the open one.
    """
    with _set_context(_actor, (user_id, name), _set_actor):
        yield


@contextmanager
def program_transaction(name: str, *, company_id: int, lock_timeout: str = "") -> Iterator[None]:
    """Activate a company in a transaction whose changes are recorded as made by the program `name`.

    It is `tenant` and `acting_as` in fewer statements, for a worker's many short transactions.

    Args:
        lock_timeout: how long a statement waits for a lock at most, as PostgreSQL writes it. Default: the server's.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        with transaction.atomic(), tenant(company_id), acting_as(None, name):
            yield
        return
    token = _actor.set((None, name))
    try:
        actor = {"crm.actor_id": "", "crm.actor": name}
        with tenant(company_id, more=actor | ({"lock_timeout": lock_timeout} if lock_timeout else {})):
            yield
    finally:
        _actor.reset(token)


@contextmanager
def audit_disabled() -> Iterator[None]:
    """Write without audit entries and changes for clients. On PostgreSQL: as `acting_as`.

    Only for demo data, which are millions of rows; for what will be rolled back; and for parts whose inserts have no
    audit entries, with their new row, or with one that an undo deletes: the row's own change tells clients to read it,
    after the commit.
    """
    with _set_context(_recorded, False, _set_recorded):
        yield


@contextmanager
def moving_to(row_id: int) -> Iterator[None]:
    """Delete rows that have moved to a row of the table that `Audit.moves_to` names, such as an archive file.

    That row must have been inserted in this transaction. Its own audit entry stands for theirs.
    """
    with _set_context(_moved_to, row_id, _set_moved_to):
        yield


def add_sqlite_functions(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Add the functions that the triggers call to a new SQLite connection."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("crm_actor_id", 0, lambda: _actor.get()[0])
        connection.connection.create_function("crm_actor", 0, lambda: _actor.get()[1])
        connection.connection.create_function("crm_recorded", 0, lambda: _recorded.get())
        connection.connection.create_function("crm_moved_to", 0, lambda: _moved_to.get())


@contextmanager
def _set_context(variable: ContextVar[T], value: T, set_in_database: Callable[[T], None]) -> Iterator[None]:
    """Set the variable, and on PostgreSQL its setting, and restore both afterwards."""
    before, token = variable.get(), variable.set(value)
    try:
        if connection.vendor != "postgresql":
            yield
            return
        nested = connection.in_atomic_block
        with transaction.atomic():
            set_in_database(value)
            yield
            if nested and not connection.needs_rollback:  # otherwise the setting ends with the transaction
                set_in_database(before)
    finally:
        variable.reset(token)


def _set_actor(actor: Actor) -> None:
    user_id, name = actor
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('crm.actor_id', %s, true), set_config('crm.actor', %s, true)",
            ["" if user_id is None else str(user_id), name],
        )


def _set_moved_to(row_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('crm.moved_to', %s, true)", ["" if row_id is None else str(row_id)])


def _set_recorded(recorded: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('crm.recorded', %s, true)", ["" if recorded else "off"])

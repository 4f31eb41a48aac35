"""Databases in which tests plant faults, thrown away afterwards."""

import os
from contextlib import contextmanager
from itertools import count

from django.db import connection

from tests.postgres_server import SUPERUSER

_numbers = count(1)


@contextmanager
def new_database(folder, *, copy_of=None):
    """Create a database, empty or a copy of another; yield its name and drop it at the end."""
    name = f"index_health_{os.getpid()}_{next(_numbers)}"
    if connection.vendor == "sqlite":
        name = str(folder / f"{name}.sqlite3")
        if copy_of:
            with connected_to(copy_of):
                run(f"VACUUM INTO '{name}'")
        yield name
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{copy_of}"' if copy_of else ""))
    try:
        yield name
    finally:
        with superuser() as cursor:  # only a superuser can end an autovacuum worker in the database
            cursor.connection.autocommit = True
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def connected_to(name):
    """Connect `connection` to another database and back."""
    before = connection.settings_dict["NAME"]
    _connect(name)
    try:
        yield
    finally:
        _connect(before)


def run(*statements):
    """Run each statement alone, outside a transaction."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def ask(question, *parameters, on=connection):
    """Return the first value of a query."""
    with on.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchone()[0]


@contextmanager
def superuser():
    """Yield a superuser's cursor on the present database. Its transaction is rolled back."""
    session = connection.Database.connect(**connection.get_connection_params() | {"user": SUPERUSER})
    try:
        yield session.cursor()
    finally:
        session.rollback()
        session.close()


def _connect(name):
    connection.close()
    connection.settings_dict["NAME"] = name

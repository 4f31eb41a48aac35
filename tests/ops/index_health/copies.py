"""Databases of one's own, so that a fault can be planted and thrown away with its database."""

from contextlib import contextmanager

from django.db import connection

from tests.postgres_server import SUPERUSER


@contextmanager
def empty(folder):
    """A new database, to which `connection` leads meanwhile. Nothing stands in it."""
    before = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        new = str(folder / "demo.sqlite3")
    else:
        new = "index_health_demo"
        _ask_server(f'CREATE DATABASE "{new}"')
    with _led_to(new, back_to=before):
        yield


@contextmanager
def copied(folder):
    """All that stands in the present database, in another to which `connection` leads meanwhile."""
    original = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        copy = str(folder / "copy.sqlite3")
        run(f"VACUUM INTO '{copy}'")
    else:
        copy = f"{original}_copy"
        connection.close()  # a template may have no other sessions
        _ask_server(f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
    with _led_to(copy, back_to=original):
        yield


def run(*statements):
    """Each alone, outside of any transaction."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def superuser():
    """A cursor that may change what PostgreSQL thinks of its indexes; what it did is rolled back."""
    session = connection.Database.connect(**connection.get_connection_params() | {"user": SUPERUSER})
    try:
        yield session.cursor()
    finally:
        session.rollback()
        session.close()


@contextmanager
def _led_to(name, *, back_to):
    _lead_to(name)
    try:
        yield
    finally:
        _lead_to(back_to)
        if connection.vendor == "postgresql":  # autovacuum may be at work in it, whom only a superuser can send away
            with superuser() as cursor:
                cursor.connection.autocommit = True
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _lead_to(name):
    connection.close()
    connection.settings_dict["NAME"] = name


def _ask_server(statement):
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)

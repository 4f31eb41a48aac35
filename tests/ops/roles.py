"""Further roles of the tests' PostgreSQL server, which its superuser creates."""

import os
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.postgres_server import SUPERUSER


@contextmanager
def superuser():
    """Yield a superuser's cursor in the test's database. Skips the test where there is no such role to connect as."""
    parameters = connection.get_connection_params() | {"user": SUPERUSER}
    try:
        session = connection.Database.connect(**parameters)
    except connection.Database.OperationalError as error:
        pytest.skip(f"the server's superuser can't be used: {error}")
    session.autocommit = True
    try:
        yield session.cursor()
    finally:
        session.close()


@contextmanager
def new_role(name, attributes=""):
    """Create a role that only this process uses, and drop it with its privileges at the end. Yields its name."""
    role = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with superuser() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN {attributes}")
    try:
        yield role
    finally:
        with superuser() as cursor:
            cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@contextmanager
def connected(**settings):
    """Connect with other settings inside the block: `USER`, `NAME`."""
    before = {name: connection.settings_dict[name] for name in settings}
    connection.close()
    connection.settings_dict.update(settings)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)

"""A pytest plugin: which database the tests run on, and a PostgreSQL server for them where there is none."""

import atexit
import os

import pytest

from tests.postgres_server import QUICK, PostgresServer

SERVER = pytest.StashKey[PostgresServer]()


def pytest_addoption(parser):
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        help="Run on SQLite, or on a PostgreSQL that is started for this run. Default: what DATABASE_URL says.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """Sets DATABASE_URL before pytest-django reads the settings."""
    wanted = parser.parse_known_args(args).database
    if wanted == "sqlite":
        os.environ["DATABASE_URL"] = "sqlite:///tests.sqlite3"  # a name only: the tests make a file of their own
    elif wanted == "postgres":
        server = PostgresServer(QUICK | {"shared_preload_libraries": "pg_stat_statements"}).__enter__()
        atexit.register(server.stop)  # an app that can't be imported ends the run before pytest_unconfigure
        early_config.stash[SERVER] = server
        os.environ["DATABASE_URL"] = server.url
    # What the tests expect does not depend on the shell that they are started from.
    for name in (
        "ENVIRONMENT", "DEBUG", "SECRET_KEY", "SECRETS_KEYS", "PRIVACY_KEY", "ALLOWED_HOSTS", "PUBLIC_URL",
        "WORKER_LEASE_S", "SMS_PER_SECOND", "REPLICA_URLS", "INDEX_UNUSED_DAYS", "INDEX_LARGE_BYTES",
        "TABLE_LARGE_BYTES", "METRICS_TOKEN",
    ):  # fmt: skip
        os.environ.pop(name, None)
    # Counting takes a statement, and tests count those. What tests the limits sets them.
    os.environ |= {"THROTTLE_USER_PER_MIN": "0", "THROTTLE_SIGN_IN_PER_MIN": "0"}


def pytest_unconfigure(config):
    if server := config.stash.get(SERVER, None):
        server.stop()


def pytest_report_header(config):
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"database: SQLite {connection.Database.sqlite_version}"
    with_version = connection.Database.connect(**connection.get_connection_params() | {"dbname": "postgres"})
    version = with_version.server_version
    with_version.close()
    return f"database: PostgreSQL {version // 10000}.{version % 10000}"

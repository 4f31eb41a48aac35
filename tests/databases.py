"""A pytest plugin: the database of a test run, migrated once and copied for each process."""

import atexit
import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgres_server import QUICK, PostgresServer

SERVER = pytest.StashKey[PostgresServer]()
FOLDER = "CRM_TEST_RUN_FOLDER"  # set by the first process of a run; the workers of xdist inherit it
# What a browser shows is the same on both databases. A test there that must see both has the mark itself.
BROWSER = "tests/browser/"
SHARED_FIXTURES = (
    BROWSER,
    "tests/ops/index_health/",
    "tests/plans/",
    "tests/ops/demo/",
)  # built once, by one process
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}
# Test results do not depend on the shell that starts them.
IGNORED_VARIABLES = [
    "ENVIRONMENT", "DEBUG", "SECRET_KEY", "SECRETS_KEYS", "PRIVACY_KEY", "ALLOWED_HOSTS", "PUBLIC_URL",
    "WORKER_LEASE_S", "SMS_PER_SECOND", "REPLICA_URLS", "INDEX_UNUSED_DAYS", "INDEX_LARGE_BYTES",
    "TABLE_LARGE_BYTES", "METRICS_TOKEN",
]  # fmt: skip


def pytest_addoption(parser):
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        help="Run on SQLite, or on a PostgreSQL that is started for this run. Default: DATABASE_URL.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """Set the environment before pytest-django reads the settings. The workers of xdist inherit it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    wanted = parser.parse_known_args(args).database
    if wanted == "sqlite":
        os.environ["DATABASE_URL"] = "sqlite:///tests.sqlite3"  # never created: each process has its own file
    elif wanted == "postgres":
        server = PostgresServer(QUICK | {"shared_preload_libraries": "pg_stat_statements"}).__enter__()
        atexit.register(server.stop)  # an app that can't be imported ends the run before pytest_unconfigure
        early_config.stash[SERVER] = server
        os.environ["DATABASE_URL"] = server.url
    for name in IGNORED_VARIABLES:
        os.environ.pop(name, None)
    # Rate limits count with a statement, and tests count statements. Tests of the limits set them.
    os.environ |= {"THROTTLE_USER_PER_MIN": "0", "THROTTLE_SIGN_IN_PER_MIN": "0", "DEBUG_TOOLBAR": "false"}
    os.environ["DIRECT_DATABASE_URL"] = ""  # even if .env sets it: migrations would reach that database
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="crm_tests_")


def pytest_configure(config):
    config.addinivalue_line("markers", "database: set on each test that uses a database fixture")
    config.addinivalue_line("markers", "slow: takes more than a second, or its cases more than five; not in test-fast")


def pytest_itemcollected(item):
    """Mark the tests that use the database."""
    # A skipif here is about the kind of database: such a test belongs in the other run.
    if item.nodeid.startswith(BROWSER):
        return
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("skipif")
    if marked or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
        item.add_marker("database")


def pytest_collection_modifyitems(items):
    """Begin with the slow tests, so that no process is left with one when the others have finished."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal tests out singly, and those of a folder with a costly fixture to one process."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return next((folder for folder in SHARED_FIXTURES if nodeid.startswith(folder)), nodeid)

    return Scheduling(config, log)


def pytest_unconfigure(config):
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    if server := config.stash.get(SERVER, None):
        server.stop()
    elif (_folder() / "migrated").exists():
        _drop(_database_name("template"))
    shutil.rmtree(_folder(), ignore_errors=True)


def pytest_report_header(config):
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"database: SQLite {connection.Database.sqlite_version}"
    with_version = connection.Database.connect(**connection.get_connection_params() | {"dbname": "postgres"})
    version = with_version.server_version
    with_version.close()
    return f"database: PostgreSQL {version // 10000}.{version % 10000}"


@contextmanager
def migrated_database(name):
    """Create a migrated database, connect `connection` to it and yield its name; drop it at the end."""
    from django.db import connection

    connection.close()
    original = connection.settings_dict["NAME"]
    process = os.environ.get("PYTEST_XDIST_WORKER", "main")
    connection.settings_dict["NAME"] = new = _copy_template(f"{name}_{process}")
    try:
        yield new
    finally:
        connection.close()
        connection.settings_dict["NAME"] = original
        _drop(new)


def _copy_template(name):
    """Return the new database's name. A template can't be copied while a session uses it, so copying takes turns."""
    from django.db import connection

    with (_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_folder() / "migrated").exists():
            original = connection.settings_dict["NAME"]
            connection.settings_dict["TEST"]["NAME"] = _database_name("template")
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            connection.close()
            connection.settings_dict["NAME"] = original
            (_folder() / "migrated").touch()
        new, template = _database_name(name), _database_name("template")
        if connection.vendor == "sqlite":
            shutil.copyfile(template, new)
        else:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{new}" TEMPLATE "{template}"')
    return new


def _drop(name):
    from django.db import connection

    if connection.vendor == "sqlite":
        Path(name).unlink()
    else:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def _folder():
    return Path(os.environ[FOLDER])


def _database_name(name):
    """Return a name that no other run on the same server has."""
    from django.db import connection

    return str(_folder() / f"{name}.sqlite3") if connection.vendor == "sqlite" else f"{_folder().name}_{name}"

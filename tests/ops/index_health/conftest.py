"""A healthy database with demo data, and copies of it to plant faults in."""

from contextlib import contextmanager
from datetime import date

import pytest
from django.db import connection

from ops.demo.seeding import seed_demo
from tests.databases import migrated_database
from tests.ops.index_health.databases import connected_to, new_database, run
from tests.ops.index_health.vacuum_faults import FLUSH

SMALL = {"companies": 2, "contacts": 60, "calls": 400, "days": 90, "seed": 1, "until": date(2026, 3, 1)}


@pytest.fixture(scope="package")
def demo(django_db_setup, django_db_blocker):
    """The name of a migrated database with demo data, which no test changes."""
    own = connection.settings_dict["NAME"]
    with django_db_blocker.unblock(), migrated_database("index_health") as name:
        seed_demo(**SMALL)
        # PostgreSQL counts a session's changes a second late. Counted after ANALYZE, they look like new ones.
        run(*([FLUSH] if connection.vendor == "postgresql" else []), "VACUUM", "ANALYZE")
        with connected_to(own):
            yield name


@pytest.fixture(scope="package")
def demo_copy(demo, django_db_blocker, tmp_path_factory):
    """A context manager that connects to a new copy of the demo database."""

    @contextmanager
    def copy():
        folder = tmp_path_factory.mktemp("copy")
        with django_db_blocker.unblock(), new_database(folder, copy_of=demo) as name, connected_to(name):
            run("ANALYZE")  # PostgreSQL copies no statistics on ANALYZE itself
            yield

    return copy


@pytest.fixture
def healthy(demo, django_db_blocker):
    """A connection to the demo database, for tests that only read."""
    with django_db_blocker.unblock(), connected_to(demo):
        yield


@pytest.fixture
def planted(demo_copy):
    """A copy of the demo database for one test."""
    with demo_copy():
        yield


@pytest.fixture(scope="module")
def shared(demo_copy):
    """A copy of the demo database for the tests of a module, which leave it healthy."""
    with demo_copy():
        yield

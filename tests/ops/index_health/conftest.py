"""A database with demo data for the faults to be planted in."""

from datetime import date

import pytest
from django.core.management import call_command
from django.test import override_settings

from ops.demo import seed_demo
from tests.ops.index_health.copies import copied, empty, run

SMALL = {"companies": 2, "contacts": 60, "calls": 400, "days": 90, "seed": 1, "until": date(2026, 3, 1)}
QUICK_PASSWORDS = {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}


@pytest.fixture(scope="package")
def demo(django_db_blocker, tmp_path_factory):
    """A migrated database with demo data. Nothing but copies of it is changed."""
    folder = tmp_path_factory.mktemp("index_health")
    with django_db_blocker.unblock(), empty(folder), override_settings(**QUICK_PASSWORDS):
        call_command("migrate", verbosity=0)
        seed_demo(**SMALL)
        run("VACUUM")
        yield


@pytest.fixture
def planted(demo, django_db_blocker, tmp_path):
    """A copy of the demo database, for one test to spoil."""
    with django_db_blocker.unblock(), copied(tmp_path):
        run("ANALYZE")  # a copy does not know that its original was
        yield

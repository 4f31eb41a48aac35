"""Shared fixtures. Most tests have two companies: `acme`, and another company, `globex`."""

from datetime import UTC, datetime

import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.test import override_settings
from rest_framework.test import APIClient

from crm.db.policies import ALL_SETTING
from crm.db.tenancy import tenant
from tests import factories
from tests.api.response_schema import check_documented
from tests.databases import migrated_database


@receiver(connection_created)
def see_every_company(connection, **_signal):
    """Let a test's own queries see all rows on PostgreSQL, without an active tenant.

    The product sets the company for each transaction, so this setting doesn't reach it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'on', false)", [ALL_SETTING])


@receiver(post_migrate)
def forget_the_flush(sender, using, **signal):
    """Remove the audit entries and changes that the flush after a test made: on SQLite it deletes the rows.

    A real `migrate`, whose signal has a plan, leaves them: tests compare the rows before and after.
    """
    if (
        sender.label == "crm"
        and "plan" not in signal
        and "audit_entries" in connections[using].introspection.table_names()
    ):
        with connections[using].cursor() as cursor:
            cursor.execute("DELETE FROM audit_entries")
            cursor.execute("DELETE FROM changes")


@pytest.fixture(scope="session", autouse=True)
def every_error_is_documented(django_test_environment):
    """Compare each error response to a test with the OpenAPI document."""
    with pytest.MonkeyPatch.context() as patch:
        request = APIClient.request
        patch.setattr(APIClient, "request", lambda client, **options: check_documented(request(client, **options)))
        yield


@pytest.fixture(autouse=True)
def booking_clock(monkeypatch):
    """Appointments are booked around the time of the tests' rows; the real year doesn't matter."""
    monkeypatch.setattr("calls.services.booking.now", lambda: datetime(2026, 3, 1, tzinfo=UTC))


postgres_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL only")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """A migrated database for this process. On SQLite it is a file: in memory, SQLite has no concurrency."""
    with django_db_blocker.unblock(), migrated_database("own"):
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords(django_test_environment):
    """Hash passwords in microseconds: production's hasher takes a quarter of a second for each sign-in."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def acme(db):
    return factories.CompanyFactory(name="Acme Roofing", slug="acme", timezone="America/Denver")


@pytest.fixture
def globex(db):
    return factories.CompanyFactory(name="Globex Concrete", slug="globex", timezone="America/New_York")


@pytest.fixture
def in_acme(acme):
    """Acme, as the active tenant of the test."""
    with tenant(acme.pk):
        yield acme


def signed_in(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def manager(acme):
    return factories.UserFactory(company=acme, role="manager", username="maria")


@pytest.fixture
def csr(acme):
    return factories.UserFactory(company=acme, role="csr", username="carla")


@pytest.fixture
def rep(acme):
    return factories.UserFactory(company=acme, role="rep", username="ralph")


@pytest.fixture
def staff(db):
    return factories.UserFactory(company=None, role="", username="stella", is_staff=True, is_superuser=True)


@pytest.fixture
def staff_client(client, staff):
    """Django's client, signed in as staff."""
    client.force_login(staff)
    return client


@pytest.fixture
def outsider(globex):
    """The manager of another company."""
    return factories.UserFactory(company=globex, role="manager", username="olga")


@pytest.fixture
def manager_api(manager):
    return signed_in(manager)


@pytest.fixture
def csr_api(csr):
    return signed_in(csr)


@pytest.fixture
def rep_api(rep):
    return signed_in(rep)


@pytest.fixture
def outsider_api(outsider):
    return signed_in(outsider)

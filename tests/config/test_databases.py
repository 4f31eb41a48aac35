"""Database configuration."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from crm.checks import driver_is_psycopg2
from crm.db.tenancy import tenant
from crm.models import Company
from tests.conftest import postgres_only
from tests.db.scratch import another_session
from tests.errors import detail_of
from tests.factories import ContactFactory

sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="for SQLite only")


def fetch_one(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


@sqlite_only
@pytest.mark.django_db
def test_sqlite_is_configured_for_concurrent_access():
    assert fetch_one("PRAGMA journal_mode") == ("wal",)
    assert fetch_one("PRAGMA synchronous") == (1,)  # NORMAL: durable enough with a write-ahead log, and far faster
    assert fetch_one("PRAGMA busy_timeout") == (20_000,)
    assert fetch_one("PRAGMA foreign_keys") == (1,)
    assert connection.transaction_mode == "IMMEDIATE"


@pytest.mark.django_db(transaction=True)
def test_read_then_write_transactions_wait_for_each_other(acme):
    """With SQLite's default transaction mode, all but one would fail: "database is locked"."""

    def rename_often(_):
        try:
            for _ in range(25):
                with transaction.atomic():
                    company = Company.objects.select_for_update().get(pk=acme.pk)
                    company.name += "."
                    company.save()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(rename_often, range(4)))
    assert Company.objects.get(pk=acme.pk).name == "Acme Roofing" + "." * 100


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_reader_is_not_blocked_by_a_writer(acme):
    def read():
        try:
            return Company.objects.get(pk=acme.pk).name
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool, transaction.atomic():
        Company.objects.update(name="Not committed yet")
        assert pool.submit(read).result(timeout=300) == "Acme Roofing"


@postgres_only
@pytest.mark.django_db
def test_database_role_cannot_bypass_row_security():
    assert fetch_one("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == (False, False)


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_connection_is_checked_without_a_statement_until_the_server_ends_it():
    last = "SELECT pg_backend_pid()"
    pid = fetch_one(last)
    with another_session() as other:
        begin_request()
        other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", pid)
        assert other.fetchone() == (last,)
        other.execute("SELECT pg_terminate_backend(%s, 5000)", pid)
    begin_request()
    assert fetch_one(last) != pid


def begin_request():
    connection.close_if_unusable_or_obsolete()
    connection.close_if_health_check_failed()


def test_psycopg_3_is_not_installed():
    assert importlib.util.find_spec("psycopg") is None
    assert not is_psycopg3


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_lock_timeout_of_a_request_is_a_503_and_ends_with_it(acme, manager_api, settings):
    settings.WEB_LOCK_TIMEOUT_MS = 100
    contact = ContactFactory(company=acme)
    with another_session() as busy:
        busy.execute("SELECT set_config('crm.all_companies', 'on', false)")
        busy.execute("SELECT FROM contacts FOR UPDATE")
        response = manager_api.patch(f"/api/v1/contacts/{contact.pk}", {"first_name": "Kim"})
        assert response.status_code == 503
        assert "try again" in detail_of(response)
    assert fetch_one("SHOW lock_timeout") == fetch_one("SHOW statement_timeout") == ("0",)
    assert manager_api.patch(f"/api/v1/contacts/{contact.pk}", {"first_name": "Kim"}).status_code == 200


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_tenant_queries_are_planned_without_parallel_workers(acme):
    before = fetch_one("SHOW max_parallel_workers_per_gather"), fetch_one("SHOW random_page_cost")
    with tenant(acme.pk):
        assert fetch_one("SHOW max_parallel_workers_per_gather") == ("0",)
        assert fetch_one("SHOW random_page_cost") == fetch_one("SHOW seq_page_cost") == ("0.1",)
    assert (fetch_one("SHOW max_parallel_workers_per_gather"), fetch_one("SHOW random_page_cost")) == before


@postgres_only
def test_other_database_driver_is_rejected(monkeypatch):
    assert driver_is_psycopg2(["default"]) == []
    monkeypatch.setattr(connection, "Database", SimpleNamespace(__name__="psycopg"))
    [error] = driver_is_psycopg2(["default"])
    assert "not psycopg." in error.msg

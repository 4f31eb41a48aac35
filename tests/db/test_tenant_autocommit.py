"""Tenants that are activated for a few statements without a transaction."""

import pytest
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from crm.api.tokens import SessionToken
from crm.db.tenancy import all_tenants, all_tenants_autocommit, statement_limits, tenant, tenant_autocommit
from crm.models import Contact
from tests.conftest import postgres_only
from tests.factories import ContactFactory

pytestmark = [postgres_only, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def contacts(acme, globex):
    for company, count in ((acme, 1), (globex, 2)):
        ContactFactory.create_batch(count, company=company)


def fetch_value(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def count_without_manager():
    """Count contacts by raw SQL, which only the policies filter."""
    return fetch_value("SELECT count(*) FROM contacts")


def test_policies_apply_to_each_statement_and_end_with_the_block(acme, globex):
    with tenant_autocommit(acme.pk):
        assert not connection.in_atomic_block
        assert (count_without_manager(), Contact.objects.count(), count_without_manager()) == (1, 1, 1)
    with tenant_autocommit(globex.pk):
        assert (count_without_manager(), Contact.objects.count()) == (2, 2)
    with all_tenants_autocommit():
        assert (count_without_manager(), Contact.objects.count()) == (3, 3)
    assert count_without_manager() == 3  # as the tests see it, see tests.conftest


def test_settings_do_not_stay_on_the_connection(acme):
    settings = ("crm.company_id", "crm.all_companies", "random_page_cost", "statement_timeout")
    before = [fetch_value(f"SELECT coalesce(current_setting('{name}', true), '')") for name in settings]
    with statement_limits(statement_timeout=4321, lock_timeout=1234), tenant_autocommit(acme.pk):
        inside = [fetch_value(f"SELECT current_setting('{name}')") for name in settings]
    assert inside == [str(acme.pk), "", "0.1", "4321ms"]
    assert [fetch_value(f"SELECT coalesce(current_setting('{name}', true), '')") for name in settings] == before


def test_statement_timeout_applies(acme):
    with statement_limits(statement_timeout=50, lock_timeout=0), tenant_autocommit(acme.pk):
        with pytest.raises(DatabaseError, match="statement timeout"):
            fetch_value("SELECT count(pg_sleep(5))")
        assert count_without_manager() == 1


@pytest.mark.parametrize("enter", [tenant, tenant_autocommit])
def test_inner_company_replaces_the_outer_one_until_its_block_ends(enter, acme, globex):
    with tenant_autocommit(acme.pk):
        with enter(globex.pk):
            assert (count_without_manager(), Contact.objects.count()) == (2, 2)
        assert (count_without_manager(), Contact.objects.count()) == (1, 1)
        with all_tenants():
            assert (count_without_manager(), Contact.objects.count()) == (3, 3)
        with transaction.atomic():
            assert (count_without_manager(), Contact.objects.count()) == (1, 1)


def test_tenant_in_a_transaction_uses_the_transaction(acme):
    with transaction.atomic():
        with tenant_autocommit(acme.pk):
            assert (count_without_manager(), Contact.objects.count()) == (1, 1)
        assert count_without_manager() == 3


def test_more_than_one_statement_is_refused(acme):
    with tenant_autocommit(acme.pk):
        with pytest.raises(RuntimeError, match="enter tenant"):
            list(Contact.objects.iterator())
        with connection.cursor() as cursor, pytest.raises(RuntimeError, match="enter tenant"):
            cursor.executemany("UPDATE contacts SET city = %s", [["Here"], ["There"]])


@pytest.fixture
def client(csr):
    """A client that is signed in by a token, as the front end is."""
    return APIClient(headers={"authorization": f"Bearer {SessionToken.for_user(csr).access_token}"})


def test_read_request_needs_no_transaction(client, django_assert_num_queries):
    with django_assert_num_queries(2):  # the user and the list; no BEGIN or COMMIT
        answer = client.get("/api/v1/leads")
    assert answer.status_code == 200


def test_read_request_finds_only_its_company(client, globex):
    with tenant(globex.pk):
        foreign = Contact.objects.values_list("pk", flat=True).first()
    assert len(client.get("/api/v1/contacts").json()["results"]) == 1
    assert client.get(f"/api/v1/contacts/{foreign}").status_code == 404

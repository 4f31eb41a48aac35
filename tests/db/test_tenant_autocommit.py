"""A tenant entered for a few questions, outside of any transaction: each statement brings along whose it is."""

import pytest
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from crm.db.tenancy import all_tenants, all_tenants_autocommit, statement_limits, tenant, tenant_autocommit
from crm.models import Contact
from tests.conftest import postgres_only
from tests.factories import ContactFactory

pytestmark = [postgres_only, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def contacts(acme, globex):
    for company, count in ((acme, 1), (globex, 2)):
        ContactFactory.create_batch(count, company=company)


def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def count_unguarded():
    """By the policies alone: nobody's manager adds a company."""
    return ask("SELECT count(*) FROM contacts")


def test_the_policies_hold_for_each_statement_and_no_longer(acme, globex):
    with tenant_autocommit(acme.pk):
        assert not connection.in_atomic_block
        assert (count_unguarded(), Contact.objects.count(), count_unguarded()) == (1, 1, 1)
    with tenant_autocommit(globex.pk):
        assert (count_unguarded(), Contact.objects.count()) == (2, 2)
    with all_tenants_autocommit():
        assert (count_unguarded(), Contact.objects.count()) == (3, 3)
    assert count_unguarded() == 3  # as the tests see it, see tests.conftest


def test_no_setting_stays_on_the_connection(acme):
    settings = ("crm.company_id", "crm.all_companies", "random_page_cost", "statement_timeout")
    before = [ask(f"SELECT coalesce(current_setting('{name}', true), '')") for name in settings]
    with statement_limits(statement_timeout=4321, lock_timeout=1234), tenant_autocommit(acme.pk):
        inside = [ask(f"SELECT current_setting('{name}')") for name in settings]
    assert inside == [str(acme.pk), "", "0.1", "4321ms"]
    assert [ask(f"SELECT coalesce(current_setting('{name}', true), '')") for name in settings] == before


def test_the_limits_of_the_web_hold(acme):
    with statement_limits(statement_timeout=50, lock_timeout=0), tenant_autocommit(acme.pk):
        with pytest.raises(DatabaseError, match="statement timeout"):
            ask("SELECT count(pg_sleep(5))")
        assert count_unguarded() == 1


@pytest.mark.parametrize("enter", [tenant, tenant_autocommit])
def test_the_inner_company_counts_and_then_the_outer_again(enter, acme, globex):
    with tenant_autocommit(acme.pk):
        with enter(globex.pk):
            assert (count_unguarded(), Contact.objects.count()) == (2, 2)
        assert (count_unguarded(), Contact.objects.count()) == (1, 1)
        with all_tenants():
            assert (count_unguarded(), Contact.objects.count()) == (3, 3)
        with transaction.atomic():
            assert (count_unguarded(), Contact.objects.count()) == (1, 1)


def test_within_a_transaction_it_is_entered_as_ever(acme):
    with transaction.atomic():
        with tenant_autocommit(acme.pk):
            assert (count_unguarded(), Contact.objects.count()) == (1, 1)
        assert count_unguarded() == 3


def test_what_takes_more_than_a_statement_is_refused_and_gives_nothing(acme):
    with tenant_autocommit(acme.pk):
        with pytest.raises(RuntimeError, match="enter tenant"):
            list(Contact.objects.iterator())
        with connection.cursor() as cursor, pytest.raises(RuntimeError, match="enter tenant"):
            cursor.executemany("UPDATE contacts SET city = %s", [["Here"], ["There"]])


@pytest.fixture
def client(csr):
    """Signed in by a token, as the front end is."""
    return APIClient(headers={"authorization": f"Bearer {RefreshToken.for_user(csr).access_token}"})


def test_a_request_that_reads_needs_no_transaction(client, django_assert_num_queries):
    with django_assert_num_queries(2):  # who is it, and what is asked; nothing to begin or to end
        answer = client.get("/api/v1/leads")
    assert answer.status_code == 200


def test_a_request_that_reads_finds_its_company_alone(client, globex):
    with tenant(globex.pk):
        foreign = Contact.objects.values_list("pk", flat=True).first()
    assert len(client.get("/api/v1/contacts").json()["results"]) == 1
    assert client.get(f"/api/v1/contacts/{foreign}").status_code == 404

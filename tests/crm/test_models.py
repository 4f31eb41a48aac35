"""What the database refuses and derives for contacts and their surroundings."""

import pytest
from django.db import IntegrityError, transaction

from crm.db.tenancy import TenantNotEntered, all_tenants, tenant
from crm.models import Contact, User
from tests.factories import ContactFactory


def test_a_query_without_a_company_raises(acme):
    with pytest.raises(TenantNotEntered, match="Contact"):
        Contact.objects.all()


def test_a_query_finds_the_company_entered_alone(acme, globex):
    own = ContactFactory(company=acme)
    foreign = ContactFactory(company=globex)
    with tenant(acme.pk):
        assert list(Contact.objects.all()) == [own]
    with all_tenants():
        assert set(Contact.objects.all()) == {own, foreign}


def test_users_are_closed_without_a_company(csr, outsider):
    with pytest.raises(TenantNotEntered):
        User.objects.count()
    with tenant(csr.company_id):
        assert list(User.objects.all()) == [csr]


def test_two_companies_may_know_the_same_number_and_one_company_once(acme, globex):
    ContactFactory(company=acme, phone="+12125550100")
    ContactFactory(company=globex, phone="+12125550100")
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactFactory(company=acme, phone="+12125550100")

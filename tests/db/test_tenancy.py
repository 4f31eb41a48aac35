"""Tenant managers and the active tenant."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from crm.db.tenancy import NoActiveTenant, all_tenants, current_company_id, tenant
from crm.models import Company, Contact, ContactPhone, User
from tests.db.catalogue import product_models
from tests.factories import ActivityFactory, CallFactory, ContactFactory, LeadFactory

# A base manager is for Django's own writes of related rows, like the one that Django makes for other models.
MANAGERS = [
    manager
    for model in product_models()
    for manager in model._meta.managers
    if any(field.name == "company" for field in model._meta.fields)
    and manager.name not in ("accounts", model._meta.base_manager_name)  # accounts: for signing in
]


@pytest.fixture
def own(acme):
    return ContactFactory(company=acme, first_name="Ann")


@pytest.fixture
def foreign(globex):
    return ContactFactory(company=globex, first_name="Fay")


@pytest.mark.parametrize("word", ["all", "count", "exists", "first", "none"])
def test_query_without_a_company_is_refused(own, word):
    with pytest.raises(NoActiveTenant, match="Contact was queried without a company"):
        getattr(Contact.objects, word)()


@pytest.mark.parametrize("manager", MANAGERS, ids=str)
def test_every_manager_of_tenant_models_needs_a_company(manager):
    with pytest.raises(NoActiveTenant):
        manager.all()


@pytest.mark.parametrize("write", ["create", "get_or_create", "update_or_create"])
def test_write_through_a_manager_without_a_company_is_refused(acme, write):
    with pytest.raises(NoActiveTenant):
        getattr(Contact.objects, write)(company=acme, phone="+12125550199")


def test_query_finds_the_active_companys_rows(acme, globex, own, foreign):
    with tenant(acme.pk):
        assert list(Contact.objects.all()) == [own]
    with tenant(globex.pk):
        assert list(Contact.objects.all()) == [foreign]


def test_all_tenants_finds_every_companys_rows(own, foreign):
    with all_tenants():
        assert set(Contact.objects.all()) == {own, foreign}


def test_company_is_active_until_its_block_ends(acme):
    with tenant(acme.pk):
        pass
    with pytest.raises(NoActiveTenant):
        Contact.objects.count()


@pytest.mark.parametrize("enter_inner", [all_tenants, lambda: tenant(0)])
def test_outer_company_is_active_again_after_an_inner_block_raises(acme, own, foreign, enter_inner):
    with tenant(acme.pk):
        with pytest.raises(ZeroDivisionError), enter_inner():
            raise ZeroDivisionError
        assert list(Contact.objects.all()) == [own]
    with pytest.raises(NoActiveTenant):
        Contact.objects.count()


def test_inner_company_replaces_the_outer_one(acme, globex, own, foreign):
    with tenant(acme.pk), tenant(globex.pk):
        assert list(Contact.objects.all()) == [foreign]


def test_query_keeps_the_company_that_was_active_when_it_was_built(acme, globex, own, foreign):
    with tenant(acme.pk):
        contacts = Contact.objects.all()
    with tenant(globex.pk):
        assert foreign not in contacts  # on PostgreSQL not even `own`: the policy checks the company that is active now


def test_writes_reach_only_the_active_companys_rows(acme, own, foreign):
    with tenant(acme.pk):
        Contact.objects.update(first_name="Ada")
        ContactPhone.objects.all().delete()
    own.refresh_from_db()
    foreign.refresh_from_db()
    assert (own.first_name, foreign.first_name) == ("Ada", "Fay")
    with all_tenants():
        assert [number.contact for number in ContactPhone.objects.all()] == [foreign]


def test_row_of_another_company_does_not_exist(acme, own, foreign):
    with tenant(acme.pk), pytest.raises(Contact.DoesNotExist):
        Contact.objects.get(pk=foreign.pk)


def test_related_rows_need_the_company_as_well(acme, globex, own):
    LeadFactory(contact=own)
    with pytest.raises(NoActiveTenant):
        own.leads.count()
    with tenant(globex.pk):
        assert own.leads.count() == 0
    with tenant(acme.pk):
        assert own.leads.count() == 1
        assert [len(contact.leads.all()) for contact in Contact.objects.prefetch_related("leads")] == [1]


def test_loaded_row_reaches_its_related_objects_without_an_active_company(own):
    activity = ActivityFactory(contact=own, activity_type="call", direction="incoming")
    call = CallFactory(contact=own, activity=activity)
    activity.refresh_from_db()
    assert activity.company == own.company
    assert activity.contact == own
    assert activity.call == call


def test_delete_cascades_without_an_active_company(own, foreign):
    own.delete()
    with all_tenants():
        assert [number.contact for number in ContactPhone.objects.all()] == [foreign]


def test_new_thread_has_no_active_company(acme):
    seen = []

    def look():
        try:
            Contact.objects.all()
        except NoActiveTenant:
            seen.append("refused")

    with tenant(acme.pk):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == ["refused"]


def test_current_company_id_needs_one_active_company(acme):
    with pytest.raises(NoActiveTenant):
        current_company_id()
    with all_tenants(), pytest.raises(NoActiveTenant):
        current_company_id()
    with tenant(acme.pk):
        assert current_company_id() == acme.pk


@pytest.mark.django_db
def test_tenant_none_activates_no_company():
    with tenant(None), pytest.raises(NoActiveTenant):
        Contact.objects.count()


def test_accounts_manager_finds_a_user_name_without_a_company(csr, outsider):
    assert User.accounts.get_by_natural_key("olga") == outsider
    assert User._default_manager is User.accounts


def test_users_of_a_company_exclude_staff(acme, csr, outsider, staff):
    with tenant(acme.pk):
        assert list(User.objects.all()) == [csr]
    with all_tenants():
        assert set(User.objects.all()) == {csr, outsider, staff}


def test_companies_can_be_queried_without_a_tenant(acme, globex):
    assert set(Company.objects.all()) == {acme, globex}


def test_validation_finds_duplicate_numbers_only_within_the_company(acme, own, foreign):
    with tenant(acme.pk):
        Contact(company=acme, phone=foreign.phone).full_clean()
        with pytest.raises(ValidationError, match="Another contact has this number"):
            Contact(company=acme, phone=own.phone).full_clean()


def test_validation_finds_duplicate_user_names_across_companies(acme, outsider):
    twin = User(company=acme, role="csr", username="olga", password="x")
    with tenant(acme.pk), pytest.raises(ValidationError, match="username already exists"):
        twin.full_clean()


def test_get_or_create_without_a_company_is_refused(in_acme):
    with pytest.raises(DatabaseError), transaction.atomic():
        Contact.objects.get_or_create(phone="+12125550199")

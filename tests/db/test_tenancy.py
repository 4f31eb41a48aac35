"""Whose rows a query finds: those of the company entered, and none by accident."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from crm.db.tenancy import NoActiveTenant, all_tenants, current_company_id, tenant
from crm.models import Company, Contact, ContactPhone, User
from tests.db.catalogue import our_models
from tests.factories import ActivityFactory, CallFactory, ContactFactory, LeadFactory

MANAGERS = [
    manager
    for model in our_models()
    for manager in model._meta.managers
    if model is not Company and manager.name != "accounts"  # the one for signing in
]


@pytest.fixture
def own(acme):
    return ContactFactory(company=acme, first_name="Ann")


@pytest.fixture
def foreign(globex):
    return ContactFactory(company=globex, first_name="Fay")


@pytest.mark.parametrize("word", ["all", "count", "exists", "first", "none"])
def test_it_refuses_every_query_that_forgot_its_company(own, word):
    with pytest.raises(NoActiveTenant, match="Contact was queried without a company"):
        getattr(Contact.objects, word)()


@pytest.mark.parametrize("manager", MANAGERS, ids=str)
def test_every_manager_of_a_companys_rows_is_closed(manager):
    with pytest.raises(NoActiveTenant):
        manager.all()


@pytest.mark.parametrize("write", ["create", "get_or_create", "update_or_create"])
def test_it_refuses_writes_through_the_manager_that_forgot_their_company(acme, write):
    with pytest.raises(NoActiveTenant):
        getattr(Contact.objects, write)(company=acme, phone="+12125550199")


def test_it_finds_the_rows_of_the_company_entered(acme, globex, own, foreign):
    with tenant(acme.pk):
        assert list(Contact.objects.all()) == [own]
    with tenant(globex.pk):
        assert list(Contact.objects.all()) == [foreign]


def test_every_company_is_entered_at_once_only_by_saying_so(own, foreign):
    with all_tenants():
        assert set(Contact.objects.all()) == {own, foreign}


def test_the_company_is_left_when_the_block_ends(acme):
    with tenant(acme.pk):
        pass
    with pytest.raises(NoActiveTenant):
        Contact.objects.count()


@pytest.mark.parametrize("enter_inner", [all_tenants, lambda: tenant(0)])
def test_the_outer_company_is_back_after_an_inner_block_that_raises(acme, own, foreign, enter_inner):
    with tenant(acme.pk):
        with pytest.raises(ZeroDivisionError), enter_inner():
            raise ZeroDivisionError
        assert list(Contact.objects.all()) == [own]
    with pytest.raises(NoActiveTenant):
        Contact.objects.count()


def test_the_inner_company_counts(acme, globex, own, foreign):
    with tenant(acme.pk), tenant(globex.pk):
        assert list(Contact.objects.all()) == [foreign]


def test_a_query_stays_its_companys_wherever_it_is_run(acme, globex, own, foreign):
    with tenant(acme.pk):
        contacts = Contact.objects.all()
    with tenant(globex.pk):
        assert foreign not in contacts  # on PostgreSQL not even `own`: the policy asks about the company entered now


def test_writing_through_a_query_reaches_the_company_entered_alone(acme, own, foreign):
    with tenant(acme.pk):
        Contact.objects.update(first_name="Ada")
        ContactPhone.objects.all().delete()
    own.refresh_from_db()
    foreign.refresh_from_db()
    assert (own.first_name, foreign.first_name) == ("Ada", "Fay")
    with all_tenants():
        assert [number.contact for number in ContactPhone.objects.all()] == [foreign]


def test_another_companys_row_is_not_there(acme, own, foreign):
    with tenant(acme.pk), pytest.raises(Contact.DoesNotExist):
        Contact.objects.get(pk=foreign.pk)


def test_a_contacts_rows_are_the_companys_as_well(acme, globex, own):
    LeadFactory(contact=own)
    with pytest.raises(NoActiveTenant):
        own.leads.count()
    with tenant(globex.pk):
        assert own.leads.count() == 0
    with tenant(acme.pk):
        assert own.leads.count() == 1
        assert [len(contact.leads.all()) for contact in Contact.objects.prefetch_related("leads")] == [1]


def test_a_row_at_hand_leads_to_its_own_company_contact_and_call_without_entering_any(own):
    activity = ActivityFactory(contact=own, activity_type="call", direction="incoming")
    call = CallFactory(contact=own, activity=activity)
    activity.refresh_from_db()
    assert activity.company == own.company
    assert activity.contact == own
    assert activity.call == call


def test_deleting_a_row_takes_its_rows_along_without_entering_a_company(own, foreign):
    own.delete()
    with all_tenants():
        assert [number.contact for number in ContactPhone.objects.all()] == [foreign]


def test_a_new_thread_has_entered_nothing(acme):
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


def test_one_company_is_known_only_where_one_is_entered(acme):
    with pytest.raises(NoActiveTenant):
        current_company_id()
    with all_tenants(), pytest.raises(NoActiveTenant):
        current_company_id()
    with tenant(acme.pk):
        assert current_company_id() == acme.pk


@pytest.mark.django_db
def test_entering_no_company_in_particular_enters_none():
    with tenant(None), pytest.raises(NoActiveTenant):
        Contact.objects.count()


def test_sign_in_finds_a_user_name_before_any_company_is_known(csr, outsider):
    assert User.accounts.get_by_natural_key("olga") == outsider
    assert User._default_manager is User.accounts


def test_users_are_the_companys_own_without_its_staff(acme, csr, outsider, staff):
    with tenant(acme.pk):
        assert list(User.objects.all()) == [csr]
    with all_tenants():
        assert set(User.objects.all()) == {csr, outsider, staff}


def test_companies_themselves_are_open(acme, globex):
    assert set(Company.objects.all()) == {acme, globex}


def test_validation_finds_a_number_taken_in_the_company_and_says_nothing_of_anothers(acme, own, foreign):
    with tenant(acme.pk):
        Contact(company=acme, phone=foreign.phone).full_clean()
        with pytest.raises(ValidationError, match="Another contact has this number"):
            Contact(company=acme, phone=own.phone).full_clean()


def test_validation_of_a_user_name_looks_across_companies(acme, outsider):
    twin = User(company=acme, role="csr", username="olga", password="x")
    with tenant(acme.pk), pytest.raises(ValidationError, match="username already exists"):
        twin.full_clean()


def test_get_or_create_makes_no_row_without_a_company(in_acme):
    with pytest.raises(DatabaseError), transaction.atomic():
        Contact.objects.get_or_create(phone="+12125550199")

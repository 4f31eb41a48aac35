"""Prepared queries: SQL that is built once and read by every company, user and time."""

from datetime import timedelta

import pytest
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from crm.choices import FlagType, Role
from crm.db.bulk import among
from crm.db.prepared import IDS, prepared
from crm.db.tenancy import NoActiveTenant, all_tenants, tenant
from crm.models import Contact
from tests.api.resources import RESOURCES
from tests.api.test_every_list import ids, make_row
from tests.conftest import signed_in
from tests.factories import CallFactory, ContactFactory, ContactFlagFactory, UserFactory

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=str)


@prepared
def names_of_contacts():
    return Contact.objects.filter(among("pk", IDS)).order_by("pk").values_list("pk", "first_name")


@pytest.fixture
def built(monkeypatch):
    """A list with an entry for each statement that Django builds."""
    statements = []
    as_sql = SQLCompiler.as_sql

    def record(self, *args, **kwargs):
        statements.append(str(self.query.model))
        return as_sql(self, *args, **kwargs)

    monkeypatch.setattr(SQLCompiler, "as_sql", record)
    return statements


def test_each_run_finds_rows_of_the_active_company(acme, globex):
    own, foreign = ContactFactory(company=acme, first_name="Ann"), ContactFactory(company=globex, first_name="Bob")
    both = {own.pk, foreign.pk}
    with tenant(acme.pk):
        assert list(names_of_contacts(ids=both)) == [(own.pk, "Ann")]
    with tenant(globex.pk):
        assert list(names_of_contacts(ids=both)) == [(foreign.pk, "Bob")]
    with all_tenants():
        assert list(names_of_contacts(ids=both)) == [(own.pk, "Ann"), (foreign.pk, "Bob")]


def test_run_without_a_company_is_refused(acme):
    with tenant(acme.pk):
        list(names_of_contacts(ids={1}))
    with pytest.raises(NoActiveTenant):
        names_of_contacts(ids={1})


@every_resource
def test_list_of_a_second_company_shows_its_rows(resource, manager_api, outsider_api, acme, globex):
    own, foreign = make_row(resource, acme), make_row(resource, globex)
    assert own.pk in ids(manager_api.get(resource.url))
    listed = ids(outsider_api.get(resource.url))
    assert foreign.pk in listed
    assert own.pk not in listed


def test_list_of_a_second_rep_shows_that_reps_calls(acme):
    reps = UserFactory.create_batch(2, company=acme, role=Role.REP)
    calls = [CallFactory(contact=ContactFactory(company=acme), assigned_rep=rep) for rep in reps]
    assert [ids(signed_in(rep).get("/api/v1/calls")) for rep in reps] == [{call.pk} for call in calls]


def test_flag_is_shown_until_it_expires(csr_api, acme):
    contact = ContactFactory(company=acme)
    CallFactory(contact=contact)
    flag = ContactFlagFactory(contact=contact, flag_type=FlagType.DO_NOT_CONTACT)

    def flags():
        [call] = csr_api.get("/api/v1/calls").json()["results"]
        return call["contact_summary"]["flags"]

    assert flags() == [FlagType.DO_NOT_CONTACT]
    with tenant(acme.pk):
        type(flag).objects.filter(pk=flag.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert flags() == []


@pytest.mark.parametrize("url", ["/api/v1/calls", "/api/v1/contacts", "/api/v1/conversations"])
def test_second_request_for_a_list_builds_no_statement(url, csr_api, acme, built):
    CallFactory(contact=ContactFactory(company=acme))
    csr_api.get(url)
    built.clear()
    assert csr_api.get(url).status_code == 200
    assert built == []


def test_second_request_for_a_timeline_builds_no_statement(csr_api, acme, built):
    contact = ContactFactory(company=acme)
    CallFactory(contact=contact)
    url = f"/api/v1/contacts/{contact.pk}/timeline"
    csr_api.get(url)
    built.clear()
    assert len(csr_api.get(url).json()["results"]) == 1
    assert built == []

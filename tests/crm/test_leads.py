"""Leads: the pool, claims, value, source and stages."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from crm.db.audit_context import acting_as, audit_disabled
from crm.models import Lead
from tests.conftest import postgres_only, signed_in
from tests.errors import code_of, codes_of, detail_of
from tests.factories import ContactFactory, LeadFactory, UserFactory

LEADS = "/api/v1/leads"


@pytest.fixture
def lead(in_acme):
    return LeadFactory(contact__company=in_acme)


@pytest.fixture
def colleague(in_acme):
    return UserFactory(company=in_acme, role="csr")


@pytest.fixture
def colleague_api(colleague):
    return signed_in(colleague)


def url(lead, action=""):
    return f"{LEADS}/{lead.pk}/{action}".rstrip("/")


def ids(response):
    return {row["id"] for row in response.json()["results"]}


# --- Pool and claims --------------------------------------------------------------------------------------------------


def test_pool_has_leads_that_nobody_works_on(in_acme, csr, csr_api):
    leads = {
        (status, assignee): LeadFactory(contact__company=in_acme, status=status, assignee=assignee).pk
        for status in ("new", "contacted", "qualified", "booked", "won", "lost")
        for assignee in (None, csr)
    }
    waiting = {leads[status, None] for status in ("new", "contacted", "qualified")}
    assert ids(csr_api.get(LEADS, {"pool": "true"})) == waiting
    assert ids(csr_api.get(LEADS, {"pool": "false"})) == {*leads.values()} - waiting


def test_claimed_lead_leaves_the_pool_and_names_its_assignee(lead, csr, csr_api, colleague_api):
    row = csr_api.post(url(lead, "claim")).json()
    assert (row["assignee"], row["assignee_name"]) == (csr.pk, str(csr))
    assert ids(colleague_api.get(LEADS, {"pool": "true"})) == set()
    refused = colleague_api.post(url(lead, "claim"))
    assert (refused.status_code, code_of(refused)) == (409, "claimed")
    assert detail_of(refused) == f"{csr} works on this lead already."


def test_own_claim_stays_unchanged(lead, csr, csr_api):
    first = csr_api.post(url(lead, "claim"))
    assert csr_api.post(url(lead, "claim")).json() == first.json()


def test_lead_is_released_by_its_assignee_or_a_manager(lead, csr, csr_api, colleague_api, manager_api):
    csr_api.post(url(lead, "claim"))
    refused = colleague_api.post(url(lead, "release"))
    assert (refused.status_code, code_of(refused)) == (403, "not_yours")
    assert detail_of(refused) == f"{csr} works on this lead."
    for api in (csr_api, manager_api):
        csr_api.post(url(lead, "claim"))
        assert api.post(url(lead, "release")).json()["assignee"] is None
    assert colleague_api.post(url(lead, "release")).status_code == 200  # nobody's


@pytest.mark.parametrize("status", ["won", "lost"])
def test_closed_lead_is_neither_claimed_nor_released(status, in_acme, csr, csr_api):
    nobodys = LeadFactory(contact__company=in_acme, status=status)
    own = LeadFactory(contact__company=in_acme, status=status, assignee=csr)
    for refused in (csr_api.post(url(nobodys, "claim")), csr_api.post(url(own, "release"))):
        assert (refused.status_code, code_of(refused)) == (409, "lead_closed")
    assert csr_api.get(url(own)).json()["assignee"] == csr.pk


@postgres_only
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_the_same_time_one_wins(acme):
    lead = LeadFactory(contact__company=acme)
    users = [UserFactory(company=acme, role="csr") for _ in range(6)]
    apis, start = [signed_in(user) for user in users], threading.Barrier(6)
    apis[0].get(LEADS)  # loads the routes, which threads can't do together

    def claim(api):
        try:
            start.wait()
            return api.post(url(lead, "claim")).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(claim, apis)) == [200] + [409] * 5


def test_managers_assign_leads_and_csrs_claim_them(lead, csr_api, manager_api, colleague, rep):
    assert codes_of(csr_api.patch(url(lead), {"assignee": colleague.pk})) == {"assignee": ["field_forbidden"]}
    assert manager_api.patch(url(lead), {"assignee": colleague.pk}).json()["assignee"] == colleague.pk
    assert codes_of(manager_api.patch(url(lead), {"assignee": rep.pk})) == {"assignee": ["does_not_exist"]}


def test_of_new_leads_csrs_take_their_own_and_managers_assign_them(in_acme, csr, csr_api, manager_api, colleague):
    contact = ContactFactory(company=in_acme)

    def create(api, **values):
        return api.post(LEADS, {"contact": contact.pk, **values})

    for assignee in (csr.pk, None):
        assert create(csr_api, assignee=assignee).json()["assignee"] == assignee
    for other in (colleague.pk, 2**40):  # whether there is such a user stays unsaid
        assert codes_of(create(csr_api, assignee=other)) == {"assignee": ["field_forbidden"]}
    assert codes_of(create(csr_api, assignee=True)) == {"assignee": ["wrong_type"]}
    assert create(manager_api, assignee=colleague.pk).json()["assignee"] == colleague.pk
    assert Lead.objects.count() == 3


def test_leads_are_filtered_by_assignee(in_acme, csr, csr_api, colleague):
    mine, theirs, nobodys = (LeadFactory(contact__company=in_acme, assignee=user).pk for user in (csr, colleague, None))
    for assignee, found in {"me": {mine}, "none": {nobodys}, str(colleague.pk): {theirs}}.items():
        assert ids(csr_api.get(LEADS, {"assignee": assignee})) == found


# --- Source and value -------------------------------------------------------------------------------------------------


def test_leads_are_filtered_by_exactly_one_source(in_acme, csr_api):
    leads = {
        source: LeadFactory(contact__company=in_acme, source=source).pk
        for source in ("", "referral", "referral of a neighbour", "Anzeige in Köln")
    }
    for source in ("referral", "Anzeige in Köln"):
        assert ids(csr_api.get(LEADS, {"source": source})) == {leads[source]}


def test_value_is_an_amount_with_two_decimals(lead, csr_api):
    assert csr_api.get(url(lead)).json()["value"] is None
    assert csr_api.patch(url(lead), {"value": "8400.5"}).json()["value"] == "8400.50"
    assert csr_api.patch(url(lead), {"value": None}).json()["value"] is None
    assert codes_of(csr_api.patch(url(lead), {"value": "-1"})) == {"value": ["min_value"]}


# --- Stages -----------------------------------------------------------------------------------------------------------


def stages(api, lead):
    return [(stage["status"], stage["user_name"]) for stage in api.get(url(lead, "stages")).json()["stages"]]


def test_stages_tell_who_gave_which_status(in_acme, csr, csr_api, manager, manager_api):
    contact = ContactFactory(company=in_acme)
    lead = Lead(pk=csr_api.post(LEADS, {"contact": contact.pk}).json()["id"])
    csr_api.post(url(lead, "claim"))
    csr_api.patch(url(lead), {"status": "contacted"})
    csr_api.patch(url(lead), {"value": "10.00"})
    before = timezone.now()
    manager_api.patch(url(lead), {"status": "lost"})
    assert stages(csr_api, lead) == [
        ("new", csr.username), ("contacted", csr.username), ("lost", manager.username)
    ]  # fmt: skip
    last = csr_api.get(url(lead, "stages")).json()["stages"][-1]
    assert last["user"] == manager.pk
    assert last["at"] >= before.isoformat().replace("+00:00", "Z")


def test_stage_that_a_program_gives_names_it(lead, csr_api):
    with acting_as(None, "night job"):
        Lead.objects.filter(pk=lead.pk).update(status="won")
    assert stages(csr_api, lead)[-1] == ("won", "night job")
    assert csr_api.get(url(lead, "stages")).json()["stages"][-1]["user"] is None


def test_lead_that_was_written_without_an_entry_begins_with_its_first_status(in_acme, csr, csr_api):
    with audit_disabled():
        lead = LeadFactory(contact__company=in_acme, status="contacted")
    assert stages(csr_api, lead) == [("contacted", "")]
    csr_api.patch(url(lead), {"status": "booked"})
    assert stages(csr_api, lead) == [("contacted", ""), ("booked", csr.username)]
    first = csr_api.get(url(lead, "stages")).json()["stages"][0]
    assert first["at"] == lead.created_at.isoformat().replace("+00:00", "Z")


def test_stages_of_another_companys_lead_are_not_found(globex, csr_api):
    lead = LeadFactory(contact__company=globex)
    assert csr_api.get(url(lead, "stages")).status_code == 404


# --- Admin ------------------------------------------------------------------------------------------------------------


def test_page_of_a_lead_shows_its_stages_and_its_value(client, staff, lead, csr_api, csr):
    csr_api.patch(url(lead), {"status": "booked", "value": "8400.00"})
    client.force_login(staff)
    page = client.get(reverse("admin:crm_lead_change", args=[lead.pk])).content.decode()
    assert page.count('<li><span class="badge badge-') == 2
    assert "Booked</span>" in page
    assert csr.username in page
    assert "What the sale is worth, in USD." in page
    assert "8,400.00 USD" in client.get(reverse("admin:crm_lead_changelist")).content.decode()


def test_list_of_the_admin_shows_the_pool(client, staff, in_acme, csr):
    waiting, taken = LeadFactory(contact__company=in_acme), LeadFactory(contact__company=in_acme, assignee=csr)
    client.force_login(staff)
    listed = client.get(reverse("admin:crm_lead_changelist"), {"pool": "yes"}).context["cl"].result_list
    assert [row.pk for row in listed] == [waiting.pk]
    assert taken.pk not in {row.pk for row in listed}

"""The audience of a campaign: who becomes a member, and who is left out."""

import pytest
from django.urls import reverse
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import Campaign, Company
from messaging.services.campaigns.audience import AudienceClosed, add_audience
from tests import factories

EVERYBODY = {"all": []}


@pytest.fixture
def campaign(acme):
    return factories.CampaignFactory(company=acme)


@pytest.fixture
def contacts(acme):
    return factories.ContactFactory.create_batch(3, company=acme, city="Denver")


def url(campaign):
    return f"/api/v1/campaigns/{campaign.pk}/audience"


def left_out(answer):
    return {reason: number for reason, number in answer.json()["left_out"].items() if number}


def members(campaign):
    with tenant(campaign.company_id):
        return set(campaign.memberships.values_list("contact", "step", "status", "due_at"))


def test_contacts_become_pending_members_once(manager_api, campaign, contacts):
    body = {"contacts": [contact.pk for contact in contacts[:2]]}
    answer = manager_api.post(url(campaign), body)
    assert (answer.status_code, answer.json()["added"], left_out(answer)) == (200, 2, {})
    assert members(campaign) == {(contact.pk, 1, "pending", None) for contact in contacts[:2]}
    again = manager_api.post(url(campaign), body)
    assert (again.json()["added"], left_out(again)) == (0, {"already_in_campaign": 2})
    assert len(members(campaign)) == 2


@pytest.mark.parametrize("kind", ["segment", "definition"])
def test_audience_is_taken_from_a_segment_or_a_definition(kind, manager_api, acme, campaign, contacts):
    factories.ContactFactory(company=acme, city="Aurora")
    factories.ContactFlagFactory(contact=contacts[0], flag_type="opted_out")
    segment = factories.SegmentFactory(company=acme, definition={"field": {"name": "city", "is": ["Denver"]}})
    body = {kind: segment.pk if kind == "segment" else segment.definition}
    dry = manager_api.post(f"{url(campaign)}?dry_run=1", body)
    assert members(campaign) == set()
    answer = manager_api.post(url(campaign), body)
    assert (answer.json(), left_out(answer)) == (dry.json(), {"opted_out": 1})
    assert {contact for contact, *_ in members(campaign)} == {contact.pk for contact in contacts[1:]}


def test_audience_is_taken_from_a_static_list(manager_api, acme, globex, campaign, contacts):
    listed = factories.ContactListEntryFactory(contact=contacts[0]).list
    answer = manager_api.post(url(campaign), {"list": listed.pk})
    assert (answer.status_code, answer.json()["added"]) == (200, 1)
    assert {contact for contact, *_ in members(campaign)} == {contacts[0].pk}
    foreign = factories.ContactListFactory(company=globex)
    assert manager_api.post(url(campaign), {"list": foreign.pk}).status_code == 400


def test_contact_without_consent_is_left_out_where_it_is_required(manager_api, acme, campaign, contacts):
    with tenant(acme.pk):
        Company.objects.update(require_marketing_consent=True)
    factories.MarketingConsentFactory(company=acme, phone=contacts[0].phone)
    answer = manager_api.post(url(campaign), {"definition": EVERYBODY})
    assert (answer.json()["added"], left_out(answer)) == (1, {"no_consent": 2})


def test_service_campaign_leaves_out_opted_out_contacts_only(manager_api, acme, contacts):
    with tenant(acme.pk):
        Company.objects.update(require_marketing_consent=True)
    factories.ContactFlagFactory(contact=contacts[0], flag_type="opted_out")
    campaign = factories.CampaignFactory(company=acme, purpose="service")
    answer = manager_api.post(url(campaign), {"definition": EVERYBODY})
    assert (answer.json()["added"], left_out(answer)) == (2, {"opted_out": 1})


def test_member_of_a_running_campaign_is_left_out_of_another(manager_api, campaign, contacts):
    factories.CampaignMembershipFactory(contact=contacts[0], campaign__status="running")
    answer = manager_api.post(url(campaign), {"definition": EVERYBODY})
    assert (answer.json()["added"], left_out(answer)) == (2, {"in_running_campaign": 1})


def test_numbers_are_of_the_country_of_the_campaigns_line(manager_api, acme, contacts):
    factories.PhoneLineFactory(company=acme)
    line = factories.PhoneLineFactory(company=acme, number="+442079460101")
    campaign = factories.CampaignFactory(company=acme, phone_line=line)
    answer = manager_api.post(url(campaign), {"definition": EVERYBODY})
    assert (answer.json()["added"], left_out(answer)) == (0, {"wrong_country": 3})


def test_contacts_of_another_company_are_named(manager_api, globex, campaign, contacts):
    stranger = factories.ContactFactory(company=globex)
    answer = manager_api.post(url(campaign), {"contacts": [contacts[0].pk, stranger.pk, 10**12]})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["attr"], error["code"]) == (400, "contacts", "does_not_exist")
    assert error["detail"] == f"There are no contacts with these IDs: {stranger.pk}, {10**12}."
    assert members(campaign) == set()


def test_segment_of_another_company_is_missing(manager_api, globex, campaign):
    segment = factories.SegmentFactory(company=globex)
    [error] = manager_api.post(url(campaign), {"segment": segment.pk}).json()["errors"]
    assert (error["attr"], error["code"]) == ("segment", "does_not_exist")


@pytest.mark.parametrize("body", [{}, {"contacts": [1], "definition": EVERYBODY}, {"contacts": []}, {"segment": None}])
def test_body_names_one_source(body, manager_api, campaign):
    assert manager_api.post(url(campaign), body).status_code == 400


def test_dry_run_is_0_or_1(manager_api, campaign):
    answer = manager_api.post(f"{url(campaign)}?dry_run=yes", {"definition": EVERYBODY})
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "dry_run")


@pytest.mark.parametrize("status", ["draft", "scheduled", "running", "paused", "completed", "cancelled"])
def test_audience_is_fixed_once_the_campaign_has_started(status, manager_api, acme, contacts):
    campaign = factories.CampaignFactory(company=acme, status=status, scheduled_at=now())
    answer = manager_api.post(url(campaign), {"definition": EVERYBODY})
    if status in ("draft", "scheduled"):
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "audience_closed")
        assert members(campaign) == set()


def test_variant_is_a_fixed_half_of_each_campaign(acme):
    factories.ContactFactory.create_batch(200, company=acme)
    variants = []
    for _ in range(2):
        campaign = factories.CampaignFactory(company=acme, body_b="Is your roof dry?")
        with tenant(acme.pk):
            add_audience(campaign=campaign, definition=EVERYBODY)
            first = dict(campaign.memberships.values_list("contact", "variant"))
            campaign.memberships.all().delete()
            add_audience(campaign=campaign, definition=EVERYBODY)
            assert dict(campaign.memberships.values_list("contact", "variant")) == first
        variants.append(first)
    for each in variants:
        assert 70 <= sum(variant == "b" for variant in each.values()) <= 130
    same = sum(variants[0][contact] == variants[1][contact] for contact in variants[0])
    assert 60 <= same <= 140  # one campaign's variants say nothing about the other's


def test_campaign_without_second_text_has_one_variant(acme, campaign, contacts):
    with tenant(acme.pk):
        add_audience(campaign=campaign, definition=EVERYBODY)
        assert set(campaign.memberships.values_list("variant", flat=True)) == {"a"}


def test_large_ids_have_a_variant(acme):
    factories.ContactFactory(company=acme, id=2**62)
    campaign = factories.CampaignFactory(company=acme, body_b="Is your roof dry?", id=2**62)
    with tenant(acme.pk):
        assert add_audience(campaign=campaign, definition=EVERYBODY).added == 1


def test_number_of_statements_does_not_depend_on_the_size(acme, campaign, contacts, django_assert_max_num_queries):
    with tenant(acme.pk), django_assert_max_num_queries(7):
        assert add_audience(campaign=campaign, definition=EVERYBODY).added == 3


def test_status_is_read_under_the_lock(acme, campaign, contacts):
    with tenant(acme.pk):
        Campaign.objects.filter(pk=campaign.pk).update(status="cancelled")
        assert campaign.status == "draft"  # as it was read before
        with pytest.raises(AudienceClosed):
            add_audience(campaign=campaign, definition=EVERYBODY)


def test_second_text_splits_members_who_are_there_already(manager_api, acme, campaign):
    contacts = factories.ContactFactory.create_batch(40, company=acme)
    manager_api.post(url(campaign), {"contacts": [contact.pk for contact in contacts[:30]]})
    variants = []
    for body_b in ("Hello.", "Hello again.", ""):
        manager_api.patch(f"/api/v1/campaigns/{campaign.pk}", {"body_b": body_b})
        with tenant(acme.pk):
            variants.append(dict(campaign.memberships.values_list("contact", "variant")))
    assert set(variants[0].values()) == {"a", "b"}
    assert variants[1] == variants[0]
    assert set(variants[2].values()) == {"a"}


@pytest.mark.parametrize("door", ["API", "admin"])
def test_single_contacts_are_split_too_and_join_before_the_start(door, manager_api, client, staff, acme, campaign):
    client.force_login(staff)
    with tenant(acme.pk):
        Campaign.objects.update(body_b="Hello.")

    def add(contact):
        form = {"campaign": campaign.pk, "contact": contact.pk}
        if door == "API":
            return manager_api.post("/api/v1/campaign-memberships", form)
        return client.post(reverse("admin:crm_campaignmembership_add"), form | {"company": acme.pk})

    contacts = factories.ContactFactory.create_batch(20, company=acme)
    assert {add(contact).status_code for contact in contacts} == {201 if door == "API" else 302}
    with tenant(acme.pk):
        assert set(campaign.memberships.values_list("variant", flat=True)) == {"a", "b"}
        Campaign.objects.update(
            status="completed", phone_line=factories.PhoneLineFactory(company=acme), started_at=now()
        )
    answer = add(factories.ContactFactory(company=acme))
    if door == "API":
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "audience_closed")
    else:
        assert "campaign" in answer.context["adminform"].form.errors
    with tenant(acme.pk):
        assert campaign.memberships.count() == 20

"""The preview of a definition: each contact counted once, under the first reason that leaves it out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import Contact, MarketingConsent
from messaging.services.campaigns.audience_counts import MAX_SAMPLES
from messaging.services.segments.preview import preview_of
from tests import factories
from tests.count_queries import CountQueries

EVERYBODY = {"all": []}
URL = "/api/v1/segments/preview"
NOBODY_OUT = {
    "do_not_contact": 0, "opted_out": 0, "under_review": 0, "invalid_number": 0, "wrong_country": 0,
    "same_number_twice": 0, "in_running_campaign": 0, "capped": 0, "no_consent": 0,
}  # fmt: skip


@pytest.fixture
def contact(acme):
    return factories.ContactFactory(company=acme)


def preview(company, definition=EVERYBODY):
    with tenant(company.pk):
        return preview_of(definition, company=company)


def reasons(company):
    return {reason: number for reason, number in preview(company).left_out.items() if number}


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ({"flag_type": "do_not_contact"}, "do_not_contact"),
        ({"flag_type": "opted_out"}, "opted_out"),
        ({"flag_type": "opted_out", "review_state": "confirmed"}, "opted_out"),
        ({"flag_type": "opted_out", "review_state": "pending"}, "under_review"),
        ({"flag_type": "invalid_number"}, "invalid_number"),
        ({"flag_type": "office_number"}, None),
        ({"flag_type": "do_not_contact", "expires_at": now() - timedelta(days=1)}, None),
    ],
)
def test_flag_in_force_leaves_a_contact_out(flag, reason, acme, contact):
    factories.ContactFlagFactory(contact=contact, **flag)
    assert reasons(acme) == ({reason: 1} if reason else {})
    assert preview(acme).included == (0 if reason else 1)


def test_contact_with_several_reasons_counts_once(acme, contact):
    for flag in ("opted_out", "do_not_contact", "invalid_number"):
        factories.ContactFlagFactory(contact=contact, flag_type=flag)
    assert reasons(acme) == {"do_not_contact": 1}


def test_number_of_another_country_is_left_out(acme, contact):
    factories.ContactFactory(company=acme, phone="+442079460100")
    factories.ContactFactory(company=acme, phone="Anonymous")
    assert reasons(acme) == {"wrong_country": 2}


def test_country_is_that_of_the_companys_lines(acme, contact):
    factories.ContactFactory(company=acme, phone="+442079460100")
    factories.PhoneLineFactory(company=acme, number="+442079460101")
    assert reasons(acme) == {"wrong_country": 1}
    factories.PhoneLineFactory(company=acme)
    assert reasons(acme) == {}


def test_number_that_belongs_to_another_contact_is_left_out(acme, contact):
    owner = factories.ContactFactory(company=acme)
    with tenant(acme.pk):
        contact.phones.filter(phone=contact.phone).update(contact=owner)
    assert reasons(acme) == {"same_number_twice": 1}


@pytest.mark.parametrize("first", ["contact", "number"])
def test_number_of_another_contact_is_found_in_either_order_of_writing(first, acme, contact):
    """Another program writes contacts, and no numbers."""
    if first == "number":
        factories.ContactPhoneFactory(contact=contact, phone="+12125550188")
    with tenant(acme.pk):
        stranger = Contact.objects.create(company=acme, phone="+12125550188")
        if first == "contact":
            factories.ContactPhoneFactory(contact=contact, phone="+12125550188")
        assert preview(acme).samples["same_number_twice"] == [stranger]
        contact.phones.get(phone="+12125550188").save()
        assert reasons(acme) == {"same_number_twice": 1}
        contact.phones.filter(phone="+12125550188").delete()
    assert reasons(acme) == {}


@pytest.mark.parametrize(
    ("campaign", "membership", "reason"),
    [
        ("running", "pending", "in_running_campaign"),
        ("paused", "sending", "in_running_campaign"),
        ("running", "failed", None),
        ("draft", "pending", None),
        ("cancelled", "pending", None),
    ],
)
def test_contact_that_waits_in_a_campaign_under_way_is_left_out(campaign, membership, reason, acme, contact):
    factories.CampaignMembershipFactory(contact=contact, campaign__status=campaign, status=membership)
    assert reasons(acme) == ({reason: 1} if reason else {})


@pytest.mark.parametrize(("interval", "capped"), [(None, 0), (5, 0), (14, 1)])
def test_contact_with_a_recent_campaign_message_is_capped(interval, capped, acme, contact):
    acme.campaign_interval_days = interval
    factories.CampaignMembershipFactory(
        contact=contact, campaign__status="completed", status="sent", sent_at=now() - timedelta(days=10)
    )
    assert preview(acme).left_out == NOBODY_OUT | {"capped": capped}


def test_consent_is_always_counted_and_required_by_the_companys_setting(acme, contact):
    consenting, withdrawn = (factories.ContactFactory(company=acme) for _ in range(2))
    factories.MarketingConsentFactory(company=acme, phone=consenting.phone)
    factories.MarketingConsentFactory(company=acme, phone=withdrawn.phone, withdrawn_at=now())
    found = preview(acme)
    assert (found.included, found.without_consent, found.left_out) == (3, 2, NOBODY_OUT)
    acme.require_marketing_consent = True
    found = preview(acme)
    assert (found.included, found.without_consent, found.left_out) == (1, 0, NOBODY_OUT | {"no_consent": 2})


def test_consent_is_that_of_the_present_main_number(acme, contact):
    factories.MarketingConsentFactory(company=acme, phone="+12125550188")
    assert preview(acme).without_consent == 1
    with tenant(acme.pk):
        Contact.objects.filter(pk=contact.pk).update(phone="+12125550188")  # a consent from before the contact
        assert preview(acme).without_consent == 0
        consent = MarketingConsent.objects.get()
        consent.save()  # links it
        assert preview(acme).without_consent == 0
        stale = MarketingConsent.objects.get()
        Contact.objects.filter(pk=contact.pk).update(phone="+12125550189")
        assert preview(acme).without_consent == 1
        stale.save()  # as it was read before
        assert preview(acme).without_consent == 1


def test_consent_is_valid_until_it_is_withdrawn_and_again_when_it_is_renewed(acme, contact):
    factories.MarketingConsentFactory(company=acme, phone=contact.phone)
    with tenant(acme.pk):
        found = []
        for withdrawn_at in (None, now(), None):
            MarketingConsent.objects.update(withdrawn_at=withdrawn_at)
            found.append(preview(acme).without_consent)
    assert found == [0, 1, 0]


def test_consent_of_a_deleted_contact_counts_for_the_next_one_with_its_number(acme, contact):
    factories.MarketingConsentFactory(company=acme, phone=contact.phone)
    with tenant(acme.pk):
        contact.delete()
    assert preview(acme).without_consent == 0
    factories.ContactFactory.create_batch(2, company=acme)
    factories.ContactFactory(company=acme, phone=contact.phone)
    assert (preview(acme).included, preview(acme).without_consent) == (3, 2)


@pytest.mark.parametrize("definition", [{"not": {"call": {}}}, {"any": [{"not": {"call": {}}}]}], ids=["not", "any"])
@pytest.mark.parametrize("required", [False, True])
def test_condition_that_all_contacts_fulfil_counts_like_none(required, definition, acme, contact):
    """Counting all or most contacts takes a shorter way."""
    acme.require_marketing_consent = required
    for flag in ("opted_out", "do_not_contact"):
        factories.ContactFlagFactory(contact=factories.ContactFactory(company=acme), flag_type=flag)
    factories.ContactFactory(company=acme, phone="+442079460100")
    for consenting in (factories.ContactFactory(company=acme), factories.ContactFlagFactory(contact=contact).contact):
        factories.MarketingConsentFactory(company=acme, phone=consenting.phone)
    factories.ContactFactory.create_batch(3, company=acme)
    everybody, chosen = preview(acme), preview(acme, definition)
    assert (everybody.included, everybody.without_consent) == ((1, 0) if required else (4, 3))
    assert replace(everybody, sentence="") == replace(chosen, sentence="")


def test_reasons_of_contacts_who_are_not_chosen_do_not_count(acme, contact):
    flagged = factories.ContactFlagFactory(contact=factories.ContactFactory(company=acme)).contact
    found = preview(acme, {"not": {"contacts": {"ids": [flagged.pk]}}})
    assert (found.included, found.left_out, found.samples["in"]) == (1, NOBODY_OUT, [contact])
    nobody = preview(acme, {"not": {"contacts": {"ids": [flagged.pk, contact.pk]}}})
    assert (nobody.included, nobody.without_consent, nobody.left_out) == (0, 0, NOBODY_OUT)


@pytest.mark.parametrize("required", [False, True])
def test_definition_that_leaves_contacts_out_counts_like_the_same_condition_said_otherwise(required, acme, contact):
    """Those left out are counted, and the others are their difference from all."""
    acme.require_marketing_consent = required
    denver, boulder, elsewhere = (factories.ContactFactory(company=acme, city=c) for c in ("Denver", "Boulder", ""))
    for person in (denver, elsewhere, contact):
        factories.MarketingConsentFactory(company=acme, phone=person.phone)
    for flagged in (denver, factories.ContactFactory(company=acme, city="Golden"), elsewhere):
        factories.ContactFlagFactory(contact=flagged, flag_type="do_not_contact")
    conditions = [{"field": {"name": "city", "is": ["Denver"]}}, {"contacts": {"ids": [boulder.pk]}}]
    leaving_out = preview(acme, {"all": [{"not": each} for each in conditions]})
    said_otherwise = preview(acme, {"any": [{"not": {"any": conditions}}]})
    assert leaving_out.left_out["do_not_contact"] == 2
    assert replace(leaving_out, sentence="") == replace(said_otherwise, sentence="")


def test_other_companies_facts_do_not_count(acme, globex, contact):
    other = factories.ContactFactory(company=globex)
    factories.ContactFlagFactory(contact=other)
    factories.MarketingConsentFactory(company=globex, phone=contact.phone)
    assert (preview(acme).included, preview(acme).without_consent) == (1, 1)


def test_preview_of_the_api(csr_api, acme, contact):
    flagged = factories.ContactFlagFactory(contact=factories.ContactFactory(company=acme)).contact
    answer = csr_api.post(URL, {"definition": EVERYBODY})
    assert answer.status_code == 200
    assert answer.json() == {
        "in": 1,
        "out": NOBODY_OUT | {"do_not_contact": 1},
        "without_consent": 1,
        "samples": {
            **{reason: [] for reason in NOBODY_OUT},
            "in": [{"id": contact.pk, "name": contact.name, "phone": contact.phone}],
            "do_not_contact": [{"id": flagged.pk, "name": flagged.name, "phone": flagged.phone}],
        },
        "sentence": "All contacts.",
    }


def test_samples_are_limited(acme):
    factories.ContactFactory.create_batch(MAX_SAMPLES + 5, company=acme)
    found = preview(acme)
    assert (found.included, len(found.samples["in"])) == (MAX_SAMPLES + 5, MAX_SAMPLES)


def test_preview_counts_and_samples_with_one_statement(acme, contact):
    with tenant(acme.pk), CountQueries() as asked:
        preview_of(EVERYBODY, company=acme)
    assert len([query for query in asked.captured_queries if "left_out" in query["sql"]]) == 1
    assert len(asked) <= 5  # with the lines, the savepoint and the planner's settings


def test_preview_takes_few_statements(acme, contact, django_assert_max_num_queries):
    campaign = factories.CampaignFactory(company=acme)
    definition = {"any": [{"campaign": {"id": campaign.pk}}, {"not": {"call": {}}}]}
    with tenant(acme.pk), django_assert_max_num_queries(8):  # with the savepoint and the planner's settings
        assert preview_of(definition, company=acme).included == 1


def test_fault_names_its_place_in_the_body(csr_api):
    answer = csr_api.post(URL, {"definition": {"all": [{"call": {"within_days": 0}}, {"colour": "red"}]}})
    assert answer.status_code == 400
    assert [(each["attr"], each["code"]) for each in answer.json()["errors"]] == [
        ("definition.all.0.call.within_days", "min_value"),
        ("definition.all.1", "unknown_field"),
    ]
    answer = csr_api.post(URL, {"definition": []})
    assert [(each["attr"], each["code"]) for each in answer.json()["errors"]] == [("definition", "wrong_type")]

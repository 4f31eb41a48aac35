"""Estimate, texts and report on the admin's page of a campaign."""

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from tests.factories import CampaignFactory, CampaignMembershipFactory, ContactFactory

NOON = datetime(2026, 3, 2, 19, tzinfo=UTC)  # in Denver


@pytest.fixture
def page(client, staff):
    client.force_login(staff)

    def show(campaign):
        return client.get(reverse("admin:crm_campaign_change", args=[campaign.pk])).content.decode()

    return show


def tables_in(html):
    """Return the rows of the tables of figures."""
    tables = re.findall('<table class="figures">.*?</table>', html, re.DOTALL)
    return [[re.findall("<td>(.*?)</td>", row, re.DOTALL) for row in each.split("<tr>")[2:]] for each in tables]


def test_draft_shows_its_estimate_and_texts(page, acme):
    campaign = CampaignFactory(company=acme, body="Hi {first_name}!")
    names = ["<b>Ann</b>", ""]
    for name in names:
        contact = ContactFactory(company=acme, first_name=name, last_name="Lee")
        CampaignMembershipFactory(campaign=campaign, contact=contact)
    html = page(campaign)
    estimate, problems, texts = tables_in(html)
    assert estimate == [["1", "A", "1", "1", "0.01 USD"], ["All", "", "2", "1", "0.01 USD"]]
    assert problems[0][0] == "body"
    assert "no first name" in problems[0][1]
    assert texts[0][3].splitlines()[0] == "Acme Roofing: Hi &lt;b&gt;Ann&lt;/b&gt;!"
    assert "<b>Ann" not in html


def test_ab_test_says_before_the_start_how_many_contacts_it_needs(page, acme):
    assert "An A/B test needs 842 contacts for each text" in page(CampaignFactory(company=acme, body_b="Hello!"))


def test_started_campaign_shows_its_report(page, acme):
    campaign = CampaignFactory(company=acme, status="running", body_b="Hello!")
    for variant, status in (("a", "replied"), ("b", "sent")):
        CampaignMembershipFactory(
            campaign=campaign, contact=ContactFactory(company=acme), variant=variant, status=status, sent_at=NOON,
            sms_segments=1,
        )  # fmt: skip
    html = page(campaign)
    total, by_variant = tables_in(html)  # one step and one hour are as all
    assert total == [["All", "2", "2", "1 of 2: 50.0 % (9.5–90.5)", "0 of 2: 0.0 % (0.0–65.8)",
                      "0 of 2: 0.0 % (0.0–65.8)", "0 of 2: 0.0 % (0.0–65.8)", "2", "0.02 USD"]]  # fmt: skip
    assert [row[0] for row in by_variant] == ["A", "B"]
    assert "The test is too small for a verdict" in html


@pytest.mark.parametrize("status", ["draft", "running"])
def test_page_of_a_campaign_without_contacts_is_shown(page, acme, status):
    assert "No contacts yet." in page(CampaignFactory(company=acme, status=status))

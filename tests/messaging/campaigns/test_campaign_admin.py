"""Estimate, texts and report on the admin's page of a campaign."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from crm.db.tenancy import all_tenants
from crm.models import Campaign, CampaignMembership, Company
from messaging.models import Message
from tests.config.test_admin_versions import open_page
from tests.factories import (
    CampaignFactory,
    CampaignMembershipFactory,
    CampaignStepFactory,
    ContactFactory,
    MessageFactory,
)

NOON = datetime(2026, 3, 2, 19, tzinfo=UTC)  # in Denver


@pytest.fixture
def page(client, staff):
    client.force_login(staff)

    def show(campaign):
        return client.get(reverse("admin:crm_campaign_change", args=[campaign.pk])).content.decode()

    return show


def tables_in(html):
    """Return the rows of the tables of figures; those of charts are within details."""
    without_charts = re.sub("<details.*?</details>", "", html, flags=re.DOTALL)
    tables = re.findall('<table class="figures">.*?</table>', without_charts, re.DOTALL)
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
    total, by_variant = tables_in(
        re.sub("<details.*?</details>", "", html, flags=re.DOTALL)
    )  # one step and hour: as all
    assert total == [["All", "2", "2", "1 of 2: 50.0 % (9.5–90.5)", "0 of 2: 0.0 % (0.0–65.8)",
                      "0 of 2: 0.0 % (0.0–65.8)", "0 of 2: 0.0 % (0.0–65.8)", "2", "0.02 USD"]]  # fmt: skip
    assert [row[0] for row in by_variant] == ["A", "B"]
    assert "The test is too small for a verdict" in html
    figures = re.findall(r'<figcaption id="campaign-(\w+)-headline">([^<]+)<', html)
    assert [name for name, _ in figures] == ["progress", "outcomes", "texts"]
    assert figures[1][1] == "50.0 % of 2 contacts have replied"
    assert re.findall(r'figure-value"[^>]*>([^<]+)<', html.partition('id="campaign-texts"')[2])[:2] == [
        "1 (100.0 %)", "0 (0.0 %)"
    ]  # fmt: skip


def test_report_draws_the_messages_of_each_hour(page, acme):
    campaign = CampaignFactory(company=acme, status="completed", ended_at=NOON)
    for hours in (0, 0, 1):
        CampaignMembershipFactory(
            campaign=campaign,
            contact=ContactFactory(company=acme),
            status="sent",
            sent_at=NOON + timedelta(hours=hours),
        )
    html = page(campaign).partition('id="campaign-hours"')[2]
    assert re.search(r"Most messages left on \w+ [\d-]+ from \d\d:00 M[SD]T on: 2", html)
    assert html.count('class="figure-marker"') == 2


@pytest.mark.parametrize("status", ["draft", "running"])
def test_page_of_a_campaign_without_contacts_is_shown(page, acme, status):
    assert "No contacts yet." in page(CampaignFactory(company=acme, status=status))


# --- Time of a scheduled start ----------------------------------------------------------------------------------------


def save_time(client, campaign, day, clock):
    url = reverse("admin:crm_campaign_change", args=[campaign.pk])
    return client.post(url, open_page(client, url) | {"scheduled_at_0": day, "scheduled_at_1": clock})


def test_scheduled_time_is_typed_and_shown_in_the_company_s_zone(page, client, acme):
    campaign = CampaignFactory(company=acme)
    assert save_time(client, campaign, "2026-07-01", "10:00").status_code == 302
    campaign.refresh_from_db()
    assert campaign.scheduled_at == datetime(2026, 7, 1, 16, tzinfo=UTC)
    html = page(campaign)
    assert 'value="10:00"' in html
    assert "Local time in America/Denver." in html
    assert "In UTC" not in html
    listed = client.get(reverse("admin:crm_campaign_changelist")).content.decode()
    assert "2026-07-01 10:00, America/Denver" in listed


def test_time_that_nobody_changes_keeps_its_instant(client, page, acme):
    second = datetime(2026, 11, 1, 8, 30, 12, tzinfo=UTC)  # 1:30 in Denver, for the second time
    campaign = CampaignFactory(company=acme, scheduled_at=second)
    page(campaign)
    assert save_time(client, campaign, "2026-11-01", "01:30").status_code == 302
    campaign.refresh_from_db()
    assert campaign.scheduled_at == second


def test_hour_that_comes_twice_is_the_first_and_the_page_says_so(client, page, acme):
    campaign = CampaignFactory(company=acme)
    assert "Of an hour that comes twice, when clocks go back, the first is meant." in page(campaign)
    save_time(client, campaign, "2026-11-01", "01:30")
    campaign.refresh_from_db()
    assert campaign.scheduled_at == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    for hour, which in ((7, "first"), (8, "second")):
        scheduled_at = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)
        scheduled = CampaignFactory(company=acme, status="scheduled", scheduled_at=scheduled_at)
        assert f"2026-11-01 01:30, America/Denver, the {which} time" in page(scheduled)


def test_time_that_the_clock_skips_is_refused(client, page, acme):
    campaign = CampaignFactory(company=acme)
    page(campaign)
    answer = save_time(client, campaign, "2026-03-08", "02:30")
    assert answer.context["adminform"].form.errors["scheduled_at"] == [
        "The clock in America/Denver skips this time; enter 03:30 or later."
    ]


def test_page_from_before_a_change_of_the_company_s_zone_is_not_saved(client, page, acme):
    campaign = CampaignFactory(company=acme, scheduled_at=datetime(2026, 7, 1, 16, tzinfo=UTC))
    page(campaign)
    url = reverse("admin:crm_campaign_change", args=[campaign.pk])
    opened = open_page(client, url)
    with all_tenants():
        Company.objects.filter(pk=acme.pk).update(timezone="America/New_York")
    assert client.post(url, opened | {"scheduled_at_1": "11:00"}).status_code == 200
    campaign.refresh_from_db()
    assert campaign.scheduled_at == datetime(2026, 7, 1, 16, tzinfo=UTC)


# --- Deletion ---------------------------------------------------------------------------------------------------------


def delete(client, row):
    name = row._meta.model_name
    return client.post(reverse(f"admin:crm_{name}_delete", args=[row.pk]), {"post": "yes"}, follow=True)


def test_draft_is_deleted_with_its_further_messages_and_those_who_wait(client, staff, acme):
    client.force_login(staff)
    campaign = CampaignFactory(company=acme)
    CampaignStepFactory(company=acme, campaign=campaign)
    CampaignMembershipFactory(campaign=campaign, contact=ContactFactory(company=acme))
    delete(client, campaign)
    with all_tenants():
        assert not Campaign.objects.exists()
        assert not CampaignMembership.objects.exists()


@pytest.mark.parametrize("status", ["scheduled", "running", "paused", "completed"])
def test_campaign_under_way_or_completed_can_not_be_deleted(status, client, staff, acme):
    client.force_login(staff)
    campaign = CampaignFactory(company=acme, status=status, scheduled_at=NOON)
    assert delete(client, campaign).status_code == 403
    with all_tenants():
        assert Campaign.objects.exists()


@pytest.mark.parametrize("status", ["sent", "skipped", "opted_out", "failed"])
def test_membership_that_shows_what_happened_stays_and_so_does_its_campaign(status, client, staff, acme):
    client.force_login(staff)
    campaign = CampaignFactory(company=acme, status="cancelled")
    sent_at = NOON if status == "sent" else None
    member = CampaignMembershipFactory(
        campaign=campaign, contact=ContactFactory(company=acme), status=status, sent_at=sent_at
    )
    assert delete(client, member).status_code == 403
    assert "1 memberships show what happened" in delete(client, campaign).content.decode()
    with all_tenants():
        assert CampaignMembership.objects.get() == member


def test_deleted_member_gets_no_message_that_waits_in_the_outbox(client, staff, acme):
    client.force_login(staff)
    contact = ContactFactory(company=acme)
    member = CampaignMembershipFactory(campaign=CampaignFactory(company=acme, status="running"), contact=contact)
    MessageFactory(
        contact=contact, membership=member, kind="campaign", status="queued", direction="outgoing", run_at=NOON
    )
    delete(client, member)
    with all_tenants():
        assert not CampaignMembership.objects.exists()
        assert not Message.objects.exists()

"""Alarms: a campaign pauses itself and tells why, until a person resumes it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crm.models import Campaign, CampaignMembership, PhoneLine
from messaging.models import Message
from messaging.notices import list_notices
from messaging.services.campaigns.feeder import feed_next_campaign
from messaging.services.campaigns.runs import resume_campaign
from tests.factories import CampaignFactory, ContactFactory, fictional_number


@pytest.fixture
def campaign(acme, desk, in_acme):
    return CampaignFactory(company=acme, status="running", phone_line=desk)


def add_results(campaign, **counts):
    """Add so many members with each status, in this order of time."""
    number = CampaignMembership.objects.count()
    for status, count in counts.items():
        for _ in range(count):
            contact = ContactFactory(company=campaign.company, phone=fictional_number(number))
            sent_at = None if status == "failed" else timezone.now()
            CampaignMembership.objects.create(
                company=campaign.company, campaign=campaign, contact=contact, status=status, sent_at=sent_at
            )
            number += 1


def look(campaign):
    """Let the worker look after the campaign. Returns its status and the reason."""
    Campaign.objects.update(feed_at=timezone.now())
    feed_next_campaign()
    campaign.refresh_from_db()
    return campaign.status, campaign.status_reason


def keep_waiting(campaign):
    """Add a member who waits for tomorrow, so that the campaign isn't completed."""
    contact = ContactFactory(company=campaign.company, phone="+13035550177")
    tomorrow = timezone.now() + timedelta(days=1)
    CampaignMembership.objects.create(company=campaign.company, campaign=campaign, contact=contact, due_at=tomorrow)


@pytest.mark.parametrize(
    ("sent", "opted_out", "pauses"),
    [(45, 4, False), (45, 5, True), (44, 5, False), (190, 9, False), (190, 10, True), (189, 10, False)],
)
def test_opt_outs_pause_the_campaign(sent, opted_out, pauses, campaign):
    """10 % of 50 contacts, 5 % of 200."""
    keep_waiting(campaign)
    add_results(campaign, sent=sent, opted_out=opted_out)
    status, reason = look(campaign)
    if pauses:
        share = round(100 * opted_out / (sent + opted_out))
        text = f"{opted_out} of {sent + opted_out} contacts have opted out ({share}%). Look at the text and audience."
        assert (status, reason) == ("paused", text)
    else:
        assert (status, reason) == ("running", "")


def test_opt_outs_from_before_the_message_do_not_count(campaign):
    keep_waiting(campaign)
    add_results(campaign, sent=60)
    add_results(campaign, opted_out=20)
    CampaignMembership.objects.filter(status="opted_out").update(sent_at=None)
    assert look(campaign)[0] == "running"


@pytest.mark.parametrize(("results", "pauses"), [
    ([("failed", 9), ("sent", 41)], False),
    ([("failed", 10)], True),
    ([("failed", 10), ("sent", 40)], True),
    ([("failed", 10), ("sent", 41)], False),  # one of them is too long ago
    ([("sent", 300), ("undelivered", 5), ("failed", 5)], True),
])  # fmt: skip
def test_failures_among_the_last_fifty_pause_the_campaign(results, pauses, campaign):
    keep_waiting(campaign)
    for status, count in results:
        add_results(campaign, **{status: count})
    status, reason = look(campaign)
    expected = (
        ("paused", "10 of the last 50 messages have failed. Look at their reasons.") if pauses else ("running", "")
    )
    assert (status, reason) == expected


def test_paused_line_pauses_the_campaign(campaign):
    keep_waiting(campaign)
    PhoneLine.objects.update(paused_until=timezone.now() + timedelta(hours=1), pause_reason="No credit.")
    assert look(campaign) == ("paused", "The phone line was paused: No credit.")


def test_managers_get_a_notice_of_a_campaign_that_paused_itself(campaign):
    keep_waiting(campaign)
    add_results(campaign, sent=45, opted_out=5)
    look(campaign)
    [notice] = [each for each in list_notices(zone=campaign.company.zone) if each.kind == "campaign_paused"]
    assert notice.message == (
        f"Campaign {campaign.name} waits for you: 5 of 50 contacts have opted out (10%). Look at the text and audience."
    )
    assert notice.url == f"/api/v1/campaigns/{campaign.pk}"


def test_resumed_campaign_counts_anew(campaign):
    """A person has seen the results, so only further ones count."""
    keep_waiting(campaign)
    add_results(campaign, sent=45, opted_out=5, failed=10)
    assert look(campaign)[0] == "paused"
    resume_campaign(campaign=campaign)
    assert look(campaign) == ("running", "")
    assert list_notices(zone=campaign.company.zone) == []
    add_results(campaign, sent=40, opted_out=4)
    assert look(campaign)[0] == "running"
    add_results(campaign, sent=5, opted_out=1)
    assert look(campaign)[0] == "paused"


def test_paused_campaign_queues_nothing(campaign):
    add_results(campaign, pending=3)
    CampaignMembership.objects.update(due_at=timezone.now())
    Campaign.objects.update(status="paused")
    assert not feed_next_campaign()
    assert not Message.objects.exists()

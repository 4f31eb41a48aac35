"""Plans of the feeder's statements: a turn reads its members and what is known of them, and no other rows."""

import pytest
from django.db import connection  # noqa: F401  # the skip asks for it
from django.utils.timezone import now

from crm.db.tenancy import tenant
from crm.models import Campaign, CampaignMembership, Contact
from messaging.models import Message
from messaging.services.campaigns.alarms import failed_lately
from messaging.services.campaigns.feeder import feed_campaign
from messaging.services.campaigns.runs import pause_campaign
from messaging.services.campaigns.start_preview import preview_start
from ops.index_health.planner import nodes_of
from tests.messaging.clocks import zone_with_hour
from tests.plans.conftest import indexes_chosen, plans_of, tables_scanned

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="plans of PostgreSQL only"),
]
BIG_TABLES = {
    "activities", "campaign_counts", "campaign_memberships", "contact_flags", "contact_phones", "contacts",
    "conversations", "message_threads", "opt_outs",
}  # fmt: skip
MEMBERS = 20


@pytest.fixture
def running(sample):
    """The sample's campaign, running, with a few members who are due."""
    with tenant(sample.company.pk):
        campaigns = Campaign.objects.filter(pk=sample.campaign.pk)
        campaigns.update(
            status="running", body="Hello", phone_line=sample.conversation.phone_line, started_at=now(), feed_at=now()
        )
        ids = list(CampaignMembership.objects.filter(campaign=sample.campaign).values_list("pk", flat=True)[:MEMBERS])
        members = CampaignMembership.objects.filter(pk__in=ids)
        members.update(status="pending", sent_at=None, due_at=now())
        Contact.objects.filter(pk__in=members.values("contact")).update(timezone=zone_with_hour(14))
        yield campaigns.select_related("company", "phone_line").get()


def test_turn_of_the_feeder_scans_no_big_table(running):
    def turn():
        assert feed_campaign(campaign=running, now=now()) > 0

    assert not tables_scanned(turn) & BIG_TABLES


def test_members_are_found_in_the_order_of_their_due_times(running):
    assert "ix_campaign_memberships_campaign_id_due_at_id_pending" in indexes_chosen(
        lambda: feed_campaign(campaign=running, now=now())
    )


def test_pause_finds_the_campaigns_messages_among_its_lines_queued_ones(running):
    feed_campaign(campaign=running, now=now())
    assert Message.objects.filter(status="queued", kind="campaign").exists()
    assert not tables_scanned(lambda: pause_campaign(campaign=running)) & BIG_TABLES


def test_preview_of_a_start_reads_the_campaigns_members_only(running):
    """Tables with few rows of the company may be read as a whole, as for the preview of a segment."""
    Campaign.objects.filter(pk=running.pk).update(status="draft", started_at=None)
    draft = Campaign.objects.select_related("company", "phone_line", "segment").get(pk=running.pk)
    scanned = tables_scanned(lambda: preview_start(campaign=draft))
    assert not scanned & {"activities", "campaign_memberships", "contacts", "contact_phones", "message_threads"}


def test_failures_among_the_last_messages_are_one_read_of_an_index(running):
    """However many messages the campaign has sent."""
    members = CampaignMembership.objects.filter(campaign=running)
    members.update(status="delivered", sent_at=now())
    members.filter(pk__in=list(members.values_list("pk", flat=True)[:5])).update(status="failed")
    plans = plans_of(lambda: failed_lately(campaign=running, since=running.started_at))
    [scan] = [node for node in nodes_of(plans[0]) if node["Node Type"] not in ("Limit", "Result")]
    assert scan["Index Name"] == "ix_campaign_memberships_campaign_id_updated_at_outcome"

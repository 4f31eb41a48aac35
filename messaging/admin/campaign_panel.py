"""The top of a campaign's page: its status, its progress as a bar, and its actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from crm.choices import CampaignStatus, MembershipStatus
from crm.figures import Datum, progress
from crm.models import Campaign
from messaging.admin.campaign_actions import ACTIONS
from messaging.services.campaigns.audience import OPEN
from messaging.services.campaigns.count_rows import count_by_status

# The tone of a status in the bar, in the order of a membership's life from its end.
TONES = {
    MembershipStatus.REPLIED: "good",
    MembershipStatus.DELIVERED: "good",
    MembershipStatus.SENT: "good",
    MembershipStatus.SENDING: "waiting",
    MembershipStatus.FAILED: "bad",
    MembershipStatus.UNDELIVERED: "bad",
    MembershipStatus.SKIPPED: "plain",
    MembershipStatus.OPTED_OUT: "plain",
    MembershipStatus.PENDING: "waiting",
}


@dataclass(frozen=True)
class Panel:
    campaign: Campaign
    label: str
    color: str
    figure: SafeString
    """The progress; empty without memberships."""
    links: Sequence[tuple[str, str]]
    """URLs and labels of what may be done now."""
    refresh_url: str
    """Empty if nothing changes by itself."""


def panel_of(campaign: Campaign, can_change: bool) -> Panel:
    status = CampaignStatus(campaign.status)
    counts = count_by_status([campaign.pk])[campaign.pk]
    is_moving = status in (CampaignStatus.RUNNING, CampaignStatus.SCHEDULED)
    return Panel(
        campaign=campaign,
        label=status.label,
        color=status.color,
        figure=_draw_progress(campaign, counts) if any(counts.values()) else SafeString(""),
        links=_links(campaign) if can_change else (),
        refresh_url=reverse("admin:crm_campaign_progress", args=[campaign.pk]) if is_moving else "",
    )


def _draw_progress(campaign: Campaign, counts: Mapping[str, int]) -> SafeString:
    total = sum(counts.values())
    done = total - counts[MembershipStatus.PENDING] - counts[MembershipStatus.SENDING]
    parts = [
        Datum(status.label, counts[status], tone=tone, url=members_with(campaign, status))
        for status, tone in TONES.items()
        if counts[status]
    ]
    if campaign.status in OPEN:
        headline = "1 contact waits for the start" if total == 1 else f"{total:,} contacts wait for the start"
    else:
        headline = f"{100 * done // total} % of {total:,} contacts are done"
    return progress("campaign-progress", headline, parts, columns=("State", "Contacts"))


def members_with(campaign: Campaign, status: str) -> str:
    """Return the list of the campaign's memberships in a state."""
    query = urlencode({"campaign__id__exact": str(campaign.pk), "status__exact": status})
    return f"{reverse('admin:crm_campaignmembership_changelist')}?{query}"


def _links(campaign: Campaign) -> list[tuple[str, str]]:
    def url(page: str) -> Any:
        return reverse(f"admin:crm_campaign_{page}", args=[campaign.pk])

    links = [
        (url(name), f"{action.label(campaign)}…")
        for name, action in ACTIONS.items()
        if campaign.status in action.statuses
    ]
    if campaign.status in OPEN:
        links[1:1] = [(url("audience"), "Add contacts…"), (url("test_send"), "Test send…")]
    return links

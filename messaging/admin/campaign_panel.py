"""The top of a campaign's page: its status, its progress as a bar, and its actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from crm.choices import CampaignStatus, MembershipStatus
from crm.models import Campaign
from messaging.admin.campaign_actions import ACTIONS
from messaging.services.campaigns.audience import OPEN
from messaging.services.campaigns.count_rows import count_by_status

# Parts of the bar with their class in campaigns.css, in the order of a membership's life from its end.
PARTS = {
    "replied": (MembershipStatus.REPLIED,),
    "delivered": (MembershipStatus.DELIVERED,),
    "sent": (MembershipStatus.SENT, MembershipStatus.SENDING),
    "failed": (MembershipStatus.FAILED, MembershipStatus.UNDELIVERED),
    "out": (MembershipStatus.SKIPPED, MembershipStatus.OPTED_OUT),
}
WAITING = "pending"
ORDER = [*PARTS, WAITING]
WIDTH = 1000


@dataclass(frozen=True)
class Bar:
    """A part of the progress bar, in thousandths of its width."""

    name: str
    x: float
    width: float


@dataclass(frozen=True)
class Panel:
    campaign: Campaign
    label: str
    color: str
    counts: list[tuple[str, str, int]]
    total: int
    done: int
    bars: Sequence[Bar]
    links: Sequence[tuple[str, str]]
    """URLs and labels of what may be done now."""
    refresh_url: str
    """Empty if nothing changes by itself."""

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


def panel_of(campaign: Campaign, can_change: bool) -> Panel:
    status = CampaignStatus(campaign.status)
    counts = count_by_status([campaign.pk])[campaign.pk]
    total = sum(counts.values())
    is_moving = status in (CampaignStatus.RUNNING, CampaignStatus.SCHEDULED)
    return Panel(
        campaign=campaign,
        label=status.label,
        color=status.color,
        counts=sorted(
            ((part_of(name), MembershipStatus(name).label, number) for name, number in counts.items() if number),
            key=lambda count: ORDER.index(count[0]),
        ),
        total=total,
        done=total - counts[MembershipStatus.PENDING] - counts[MembershipStatus.SENDING],
        bars=_bars(counts, total),
        links=_links(campaign) if can_change else (),
        refresh_url=reverse("admin:crm_campaign_progress", args=[campaign.pk]) if is_moving else "",
    )


def part_of(status: str) -> str:
    """Return the part of the bar to which a status belongs."""
    return next((part for part, statuses in PARTS.items() if status in statuses), WAITING)


def _bars(counts: Mapping[str, int], total: int) -> list[Bar]:
    bars: list[Bar] = []
    x = 0.0
    for name, statuses in PARTS.items():
        width = WIDTH * sum(counts[status] for status in statuses) / total if total else 0
        if width:
            bars.append(Bar(name, round(x, 1), round(width, 1)))
        x += width
    return bars


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

"""The counted memberships of campaigns, summed up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum

from crm.choices import MembershipStatus
from crm.models import Campaign, CampaignCount


@dataclass(frozen=True)
class CountRow:
    """Number of memberships with these values. `hour` is the hour (UTC) of sending; None: not sent."""

    step: int
    variant: str
    status: str
    booked: bool
    hour: datetime | None
    members: int
    sms_segments: int


def read_counts(campaign: Campaign) -> list[CountRow]:
    """Return the counted memberships of a campaign, with one statement."""
    counts = CampaignCount.objects.filter(campaign=campaign).order_by()
    keys = counts.values_list("step", "variant", "status", "booked", "hour")
    sums: Any = keys.annotate(number=Sum("members"), parts=Sum("sms_segments"))
    return [CountRow(*row) for row in sums.exclude(number=0, parts=0)]


def count_by_status(campaigns: Collection[int]) -> dict[int, dict[str, int]]:
    """Return the number of memberships by status, for each of these campaigns, with one statement."""
    counted: dict[int, dict[str, int]] = {campaign: dict.fromkeys(MembershipStatus.values, 0) for campaign in campaigns}
    sums = CampaignCount.objects.filter(campaign__in=campaigns).order_by()
    for campaign, status, number in sums.values_list("campaign", "status").annotate(number=Sum("members")):
        counted[campaign][status] = number
    return counted

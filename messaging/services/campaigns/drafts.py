"""Changes of campaigns and their steps. What is sent, to whom and when is fixed once a campaign is started."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from crm.models import Campaign, CampaignStep
from messaging.services.campaigns.audience import split_variants
from messaging.services.campaigns.states import check_draft, lock_campaign

CHANGEABLE = ("name", "daily_limit")  # at any time
MAX_STEPS = 20  # further ones
MAX_DELAY_MINUTES = 366 * 24 * 60


def change_campaign(*, campaign: Campaign, **changes: Any) -> Campaign:
    """Change a campaign that the caller has locked. Raises NotADraft if it would change what is fixed."""
    if any(getattr(campaign, name) != value for name, value in changes.items() if name not in CHANGEABLE):
        check_draft(campaign=campaign)
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=[*changes])
    if "body_b" in changes:
        split_variants(campaign=campaign)
    return campaign


def set_steps(*, campaign: Campaign, steps: Sequence[Mapping[str, Any]]) -> None:
    """Replace the further steps of a draft, in this order. Raises NotADraft.

    Args:
        steps: the delay_minutes and the body of each.
    """
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        check_draft(campaign=campaign)
        campaign.steps.all().delete()
        CampaignStep.objects.bulk_create(
            CampaignStep(company_id=campaign.company_id, campaign=campaign, step=number, **step)
            for number, step in enumerate(steps, start=2)
        )

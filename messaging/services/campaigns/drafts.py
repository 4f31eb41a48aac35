"""Changes of campaigns and their steps. What is sent, to whom and when is fixed once a campaign is started."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from crm.models import Campaign, CampaignStep
from messaging.services.campaigns.states import check_draft

CHANGEABLE = ("name", "daily_limit")  # at any time


def change_campaign(*, campaign: Campaign, **changes: Any) -> Campaign:
    """Change a campaign that the caller has locked. Raises NotADraft if it would change what is fixed."""
    if any(getattr(campaign, name) != value for name, value in changes.items() if name not in CHANGEABLE):
        check_draft(campaign=campaign)
    for name, value in changes.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=[*changes])
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


def lock_campaign(campaign_id: int) -> Campaign:
    """Return the campaign, locked so that it can't be started meanwhile, with its company and line."""
    rows = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("company", "phone_line")
    return rows.get(pk=campaign_id)

"""Next runs of recurring campaigns: each is a campaign of its own."""

from django.utils import timezone

from crm.choices import CampaignStatus
from crm.models import Campaign, CampaignStep
from messaging.services.campaigns.recurrence import next_run_at

COPIED = (
    "company_id", "name", "purpose", "body", "body_b", "phone_line_id", "segment_id", "daily_limit", "created_by_id",
    "recurrence", "started_by_id",
)  # fmt: skip
COPIED_STEP = ("company_id", "step", "delay_minutes", "body")


def schedule_next_run(*, campaign: Campaign) -> Campaign | None:
    """Schedule the run after this one, which has just started. Returns None if it is the last."""
    now = timezone.now()
    this = campaign.scheduled_at or campaign.started_at or now
    scheduled_at = next_run_at(
        rule=campaign.recurrence,
        this=this,
        after=max(this, now),
        zone=campaign.company.zone,
        before=campaign.previous_run.scheduled_at if campaign.previous_run else None,
    )
    if scheduled_at is None:
        return None
    following = Campaign.objects.create(
        **{name: getattr(campaign, name) for name in COPIED},
        status=CampaignStatus.SCHEDULED,
        scheduled_at=scheduled_at,
        previous_run=campaign,
    )
    steps = [{name: getattr(step, name) for name in COPIED_STEP} for step in campaign.steps.all()]
    CampaignStep.objects.bulk_create(CampaignStep(campaign=following, **step) for step in steps)
    return following

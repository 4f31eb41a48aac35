"""States of a campaign, and the changes between them. No other change is possible."""

from typing import Self

from crm.choices import CampaignStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign
from crm.refusals import Refusal

TRANSITIONS: dict[CampaignStatus, frozenset[CampaignStatus]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.SCHEDULED, CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    # Paused before it has started, or not able to start at its time, it is a draft again.
    CampaignStatus.SCHEDULED: frozenset({CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    CampaignStatus.COMPLETED: frozenset(),
    CampaignStatus.CANCELLED: frozenset(),
}
_VERBS = {CampaignStatus.DRAFT: "paused", CampaignStatus.RUNNING: "started"}


class WrongStatus(Refusal):
    """The campaign's status doesn't allow this."""

    code = ErrorCode.WRONG_STATUS

    @classmethod
    def of(cls, campaign: Campaign, advice: str) -> Self:
        return cls(f"The campaign is {CampaignStatus(campaign.status).label.lower()}. {advice}")


class NotADraft(Refusal):
    """The text, the line or the steps of a campaign change only while it is a draft."""

    code = ErrorCode.NOT_A_DRAFT


def check_transition(*, campaign: Campaign, status: CampaignStatus) -> None:
    """Raise WrongStatus unless the campaign may get this status now."""
    current = CampaignStatus(campaign.status)
    if status not in TRANSITIONS[current]:
        before = sorted(other.label.lower() for other, after in TRANSITIONS.items() if status in after)
        advice = f"Only a {' or '.join(before)} campaign can be {_VERBS.get(status, status.label.lower())}."
        raise WrongStatus.of(campaign, advice)


def status_after_pause(campaign: Campaign) -> CampaignStatus:
    """Return the status after a pause: a campaign that hasn't started yet is a draft again."""
    return CampaignStatus.DRAFT if campaign.status == CampaignStatus.SCHEDULED else CampaignStatus.PAUSED


def check_draft(*, campaign: Campaign) -> None:
    """Raise NotADraft unless the campaign is a draft."""
    if campaign.status != CampaignStatus.DRAFT:
        raise NotADraft


def lock_campaign(campaign_id: int) -> Campaign:
    """Return the campaign, locked so that it can't be started meanwhile, with its company and line."""
    rows = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("company", "phone_line")
    return rows.get(pk=campaign_id)

"""Actions on a campaign: what they are called, when they are offered, and what they do."""

from collections.abc import Collection

from django.utils import timezone

from crm.choices import CampaignStatus
from crm.models import Campaign, User
from crm.refusals import Refusal
from messaging.services.campaigns.readiness import check_resumption, check_start
from messaging.services.campaigns.runs import cancel_campaign, pause_campaign, resume_campaign, start_campaign
from messaging.services.campaigns.states import TRANSITIONS, check_transition, status_after_pause


class CampaignAction:
    """An action with a page that says what it would do. It is offered in these statuses."""

    name: str  # of its page
    statuses: Collection[CampaignStatus]

    def label(self, campaign: Campaign) -> str:
        return self.name.capitalize()

    def check(self, campaign: Campaign) -> None:
        """Raise the refusal that `apply` would raise."""
        raise NotImplementedError

    def apply(self, campaign: Campaign, user: User) -> Campaign:
        raise NotImplementedError

    def refusal(self, campaign: Campaign) -> Refusal | None:
        try:
            self.check(campaign)
        except Refusal as refusal:
            return refusal
        return None


class Start(CampaignAction):
    name = "start"
    statuses = (CampaignStatus.DRAFT,)

    def label(self, campaign: Campaign) -> str:
        return "Schedule" if campaign.scheduled_at else "Start"

    def check(self, campaign: Campaign) -> None:
        check_start(campaign=campaign, now=timezone.now())

    def apply(self, campaign: Campaign, user: User) -> Campaign:
        return start_campaign(campaign=campaign, user=user)


class Pause(CampaignAction):
    name = "pause"
    statuses = (CampaignStatus.RUNNING, CampaignStatus.SCHEDULED)

    def label(self, campaign: Campaign) -> str:
        return "Back to draft" if campaign.status == CampaignStatus.SCHEDULED else "Pause"

    def check(self, campaign: Campaign) -> None:
        check_transition(campaign=campaign, status=status_after_pause(campaign))

    def apply(self, campaign: Campaign, user: User) -> Campaign:
        return pause_campaign(campaign=campaign)


class Resume(CampaignAction):
    name = "resume"
    statuses = (CampaignStatus.PAUSED,)

    def check(self, campaign: Campaign) -> None:
        check_resumption(campaign=campaign, now=timezone.now())

    def apply(self, campaign: Campaign, user: User) -> Campaign:
        return resume_campaign(campaign=campaign)


class Cancel(CampaignAction):
    name = "cancel"
    statuses = frozenset(status for status, after in TRANSITIONS.items() if CampaignStatus.CANCELLED in after)

    def label(self, campaign: Campaign) -> str:
        return "Cancel for good"

    def check(self, campaign: Campaign) -> None:
        check_transition(campaign=campaign, status=CampaignStatus.CANCELLED)

    def apply(self, campaign: Campaign, user: User) -> Campaign:
        return cancel_campaign(campaign=campaign)


ACTIONS: dict[str, CampaignAction] = {action.name: action for action in (Start(), Pause(), Resume(), Cancel())}

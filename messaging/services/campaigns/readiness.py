"""Conditions of a campaign's start. Each refusal says what to do."""

from datetime import datetime

from crm.choices import CampaignStatus, MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, PhoneLine
from crm.refusals import Refusal
from messaging.services.campaigns.estimates import check_texts
from messaging.services.campaigns.recurrence import check_recurrence
from messaging.services.campaigns.states import WrongStatus
from messaging.services.outbound.send_policy import MAX_BODY


class NotReady(Refusal):
    """The campaign can't be started as it is."""

    def __init__(self, code: ErrorCode, detail: str = "") -> None:
        super().__init__(detail, code=code)


def check_start(*, campaign: Campaign, now: datetime) -> None:
    """Raise WrongStatus or NotReady unless the campaign may start, or be scheduled, apart from its members."""
    if campaign.status != CampaignStatus.DRAFT:
        raise WrongStatus.of(campaign, "Only a draft can be started.")
    check_ready(campaign=campaign, now=now)
    if campaign.scheduled_at is not None and campaign.scheduled_at <= now:
        raise NotReady(ErrorCode.PAST_SCHEDULE)


def check_resumption(*, campaign: Campaign, now: datetime) -> None:
    """Raise WrongStatus unless the campaign is paused, NotReady unless its line may send."""
    if campaign.status != CampaignStatus.PAUSED:
        raise WrongStatus.of(campaign, "Only a paused campaign can be resumed.")
    check_line(line=campaign.phone_line, now=now)


def check_ready(*, campaign: Campaign, now: datetime) -> None:
    """Raise NotReady unless the campaign's text, line and rule allow a start."""
    bodies = [campaign.body, *([campaign.body_b] if campaign.body_b else []), *_bodies_of_steps(campaign)]
    for body in bodies:
        if not body.strip():
            raise NotReady(ErrorCode.NO_BODY)
        if len(body) > MAX_BODY:
            raise NotReady(ErrorCode.MESSAGE_TOO_LONG)
    check_line(line=campaign.phone_line, now=now)
    check_recurrence(rule=campaign.recurrence)


def check_line(*, line: PhoneLine | None, now: datetime) -> None:
    """Raise NotReady unless the line may send."""
    if line is None:
        raise NotReady(ErrorCode.NO_PHONE_LINE)
    if not (line.number or line.provider_id):
        raise NotReady(ErrorCode.LINE_WITHOUT_NUMBER)
    if line.paused_until and line.paused_until > now:
        reason = f" ({line.pause_reason.rstrip('.')})" if line.pause_reason else ""
        raise NotReady(ErrorCode.LINE_PAUSED, f"The phone line is paused{reason}. Resume it, or choose another line.")


def check_members(*, campaign: Campaign) -> None:
    """Raise NotReady unless a contact waits for the campaign, UnusableText unless each can get every text."""
    if not campaign.memberships.filter(status=MembershipStatus.PENDING).exists():
        raise NotReady(ErrorCode.NO_MEMBERS)
    check_texts(campaign=campaign)


def _bodies_of_steps(campaign: Campaign) -> list[str]:
    return list(campaign.steps.order_by("step").values_list("body", flat=True))

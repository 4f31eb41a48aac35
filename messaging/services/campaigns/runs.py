"""Start, pause, resumption and end of campaigns. Each change locks the campaign."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from crm.choices import CampaignStatus, MembershipStatus
from crm.models import Campaign, CampaignMembership, User
from crm.refusals import Refusal
from messaging.services.campaigns.audience import add_audience, split_variants
from messaging.services.campaigns.counts import count_results
from messaging.services.campaigns.due_times import set_due_times
from messaging.services.campaigns.estimates import check_texts
from messaging.services.campaigns.next_runs import schedule_next_run
from messaging.services.campaigns.readiness import check_members, check_ready, check_resumption, check_start
from messaging.services.campaigns.recall import CANCELLED, UNSENT, recall_held, recall_queued
from messaging.services.campaigns.states import check_transition, lock_campaign, status_after_pause


def start_campaign(*, campaign: Campaign, user: User | None) -> Campaign:
    """Start a campaign, or schedule it if `scheduled_at` is ahead. Returns it as it is now.

    Raises:
        WrongStatus: it isn't a draft.
        NotReady: something is missing, or wrong.
        InvalidRule: it recurs by a rule that can't be used.
    """
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        now = timezone.now()
        check_start(campaign=campaign, now=now)
        split_variants(campaign=campaign)
        campaign.started_by = user
        if campaign.scheduled_at is not None:
            if campaign.segment_id is None:
                check_members(campaign=campaign)
            else:  # now, while somebody is there who can mend it; who joins is known at its time
                check_texts(campaign=campaign)
            return _set_status(campaign, CampaignStatus.SCHEDULED, "started_by", status_reason="")
        _run(campaign, now)
    return campaign


def pause_campaign(*, campaign: Campaign, reason: str = "") -> Campaign:
    """Pause a running campaign, and take its messages out of the outbox. A scheduled one is a draft again.

    Args:
        reason: why the campaign pauses itself; "" if a person pauses it.

    Raises:
        WrongStatus: it is neither running nor scheduled.
    """
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        status = status_after_pause(campaign)
        check_transition(campaign=campaign, status=status)
        _set_status(campaign, status, status_reason=reason[:300])
        recall_queued(campaign=campaign)
    return campaign


def resume_campaign(*, campaign: Campaign) -> Campaign:
    """Resume a paused campaign with new due times. The alarms count from here: a person has seen the results so far.

    Raises:
        WrongStatus: it isn't paused.
        NotReady: its line may not send.
    """
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        now = timezone.now()
        check_resumption(campaign=campaign, now=now)
        recall_queued(campaign=campaign)  # those that came back from an attempt meanwhile
        recall_held(campaign=campaign)
        results = count_results(campaign=campaign)
        campaign.resumed_at, campaign.feed_at = now, now
        campaign.seen_sent, campaign.seen_opted_out = results.sent, results.opted_out
        _set_status(
            campaign, CampaignStatus.RUNNING, "resumed_at", "feed_at", "seen_sent", "seen_opted_out", status_reason=""
        )
        set_due_times(campaign=campaign, now=now)
    return campaign


def cancel_campaign(*, campaign: Campaign) -> Campaign:
    """End a campaign for good: the contacts who wait are skipped. Raises WrongStatus if it has ended."""
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        check_transition(campaign=campaign, status=CampaignStatus.CANCELLED)
        campaign.ended_at = timezone.now()
        _set_status(campaign, CampaignStatus.CANCELLED, "ended_at", status_reason="")
        recall_queued(campaign=campaign)
        recall_held(campaign=campaign)
        skip_pending(campaign=campaign)
    return campaign


def complete_campaign(*, campaign: Campaign) -> bool:
    """Complete a running campaign if every member has an end. Returns whether it is completed."""
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        if campaign.status != CampaignStatus.RUNNING or campaign.memberships.filter(status__in=UNSENT).exists():
            return False
        campaign.ended_at = timezone.now()
        _set_status(campaign, CampaignStatus.COMPLETED, "ended_at", status_reason="")
    return True


def start_scheduled(*, campaign: Campaign) -> Campaign:
    """Start a campaign whose time has come. If it can't start, it is a draft again and says why."""
    try:
        with transaction.atomic():
            campaign = lock_campaign(campaign.pk)
            now = timezone.now()
            if campaign.status != CampaignStatus.SCHEDULED or campaign.scheduled_at is None:
                return campaign
            if now - campaign.scheduled_at > timedelta(hours=settings.STALE_TEXT_HOURS):
                raise _TooLate(campaign.scheduled_at.astimezone(campaign.company.zone))
            check_ready(campaign=campaign, now=now)
            split_variants(campaign=campaign)  # scheduled campaigns take further members
            # Nobody has an overdue invoice this week: the next run may find somebody.
            _run(campaign, now, may_be_empty=bool(campaign.recurrence))
    except Exception as reason:
        if not isinstance(reason, Refusal | _TooLate):
            raise
        campaign = unschedule(campaign=campaign, reason=f"It could not start at its time. {reason}")
    return campaign


def unschedule(*, campaign: Campaign, reason: str) -> Campaign:
    """Make a scheduled campaign a draft again, unless somebody has started, paused or cancelled it meanwhile."""
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        scheduled = campaign.status == CampaignStatus.SCHEDULED
        return pause_campaign(campaign=campaign, reason=reason) if scheduled else campaign


def hold_campaigns(*, campaigns: QuerySet[Campaign], reason: str) -> int:
    """Pause those of these campaigns that run or should have started. Returns how many.

    In a restored copy their contacts may have got the message after the backup, which the copy doesn't know.
    """
    due = Q(status=CampaignStatus.SCHEDULED, scheduled_at__lte=timezone.now())
    found = list(campaigns.filter(Q(status=CampaignStatus.RUNNING) | due).order_by("pk"))
    for campaign in found:
        pause_campaign(campaign=campaign, reason=reason)
    return len(found)


class _TooLate(Exception):
    """The worker comes to a scheduled campaign long after its time, as in a restored copy. A person decides."""

    def __init__(self, scheduled_at: datetime) -> None:
        was_due = f"{scheduled_at:%Y-%m-%d %H:%M}, {scheduled_at.tzinfo}"
        super().__init__(f"It was due at {was_due}. Choose another time, or start it now.")


def skip_pending(*, campaign: Campaign) -> None:
    pending = CampaignMembership.objects.filter(campaign=campaign, status=MembershipStatus.PENDING)
    pending.update(status=MembershipStatus.SKIPPED, reason=CANCELLED, due_at=None)


def _run(campaign: Campaign, now: datetime, *, may_be_empty: bool = False) -> None:
    campaign.started_at = campaign.feed_at = now
    if campaign.segment is not None:
        add_audience(campaign=campaign, segment=campaign.segment)
    if not may_be_empty or campaign.memberships.exists():
        check_members(campaign=campaign)
    _set_status(campaign, CampaignStatus.RUNNING, "started_at", "started_by", "feed_at", status_reason="")
    set_due_times(campaign=campaign, now=now)
    if campaign.recurrence:
        schedule_next_run(campaign=campaign)


def _set_status(campaign: Campaign, status: CampaignStatus, *fields: str, **values: Any) -> Campaign:
    campaign.status = status
    for name, value in values.items():
        setattr(campaign, name, value)
    campaign.save(update_fields=["status", *values, *fields])
    return campaign

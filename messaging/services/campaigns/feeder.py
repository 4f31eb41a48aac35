"""The feeder: moves members whose time has come from a campaign's queue into the outbox, as far as the line needs them.

The outbox is a short conveyor: what a line sends within a minute. So a pause, an opt-out and a limit act within that
time, and nobody's reply waits behind a campaign.

A turn takes one campaign and a constant number of statements. One feeder at a time works for a company, so that the
limits that its campaigns share are counted once.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from crm.choices import CampaignStatus, MembershipStatus
from crm.db.advisory_locks import try_advisory_xact_lock
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants
from crm.models import Campaign, CampaignMembership
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.services.campaigns.alarms import find_alarm
from messaging.services.campaigns.conveyor import REST, Room, queue_members, read_room
from messaging.services.campaigns.member_checks import check_members
from messaging.services.campaigns.runs import complete_campaign, pause_campaign
from messaging.services.outbound.campaign_progress import update_memberships

FEEDER = "campaigns"  # the lock of a company's feeder
CANDIDATES = 20  # campaigns that are looked at in one turn; others may be locked
RETRY = timedelta(seconds=60)  # after an internal error

ENDED = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.UNDELIVERED)
DELETED = "The message was deleted."
STALE = "The worker has not looked after it for more than {hours} hours. Look at the results, then resume it."

logger = logging.getLogger(__name__)


def feed_next_campaign() -> bool:
    """Do one turn for the campaign that has waited longest, of any company. Returns False if none is due."""
    with all_tenants():
        due = Campaign.objects.filter(status=CampaignStatus.RUNNING, feed_at__lte=timezone.now())
        found = list(due.order_by("feed_at", "pk").values_list("pk", "company_id")[:CANDIDATES])
    busy: set[int] = set()
    for campaign_id, company_id in found:
        if company_id not in busy and _take_turn(campaign_id, company_id):
            return True
        busy.add(company_id)
    return False


def _take_turn(campaign_id: int, company_id: int) -> bool:
    """Do a turn, unless another worker works for the company. Returns whether it was done."""
    try:
        with program_transaction("campaigns", company_id=company_id):
            if not try_advisory_xact_lock(FEEDER, company_id):
                return False
            due = Campaign.objects.filter(pk=campaign_id, status=CampaignStatus.RUNNING, feed_at__lte=timezone.now())
            due = due.select_related("company", "phone_line")
            campaign = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
            if campaign is None:
                return False
            feed_campaign(campaign=campaign, now=timezone.now())
    except Exception:
        if not connection.is_usable():
            raise
        logger.exception("Campaign %d failed; it is tried again later.", campaign_id)
        with program_transaction("campaigns", company_id=company_id):
            Campaign.objects.filter(pk=campaign_id).update(feed_at=timezone.now() + RETRY)
    return True


def feed_campaign(*, campaign: Campaign, now: datetime) -> int:
    """Queue members of a running campaign, which is locked, or pause or complete it. Returns how many are queued."""
    if reason := _reason_to_pause(campaign, now):
        pause_campaign(campaign=campaign, reason=reason)
        return 0
    room = read_room(campaign=campaign, now=now)
    members = _due_members(campaign, now, room.limit)
    texts = check_members(campaign=campaign, members=members, now=now)
    queued = queue_members(campaign=campaign, texts=texts, room=room, now=now)
    if not members:
        if room.limit:
            _reconcile(campaign)
        if complete_campaign(campaign=campaign):
            return 0
    if queued < len(texts):  # the day's segments are used up
        campaign.feed_at = now + REST
    else:
        campaign.feed_at = _next_turn(campaign, now, room, is_full=len(members) == room.limit)
    campaign.save(update_fields=["feed_at"])
    return queued


def _reason_to_pause(campaign: Campaign, now: datetime) -> str:
    # The worker looks after each running campaign once a minute, also if its members wait for days.
    if now - campaign.feed_at > timedelta(hours=settings.STALE_TEXT_HOURS):
        return STALE.format(hours=settings.STALE_TEXT_HOURS)
    return find_alarm(campaign=campaign, now=now)


def _due_members(campaign: Campaign, now: datetime, limit: int) -> list[CampaignMembership]:
    """Return the first members whose time has come, locked. Those that an opt-out has locked wait for a turn."""
    due = CampaignMembership.objects.filter(campaign=campaign, status=MembershipStatus.PENDING, due_at__lte=now)
    locked = due.order_by("due_at", "pk").select_for_update(no_key=True, skip_locked=True, of=("self",))
    return list(locked.select_related("contact")[:limit]) if limit else []


def _next_turn(campaign: Campaign, now: datetime, room: Room, *, is_full: bool) -> datetime:
    if not room.limit:
        return now + min(room.wait, REST)
    if is_full:  # more may be due
        return now + min(room.wait, REST) if room.is_filled else now
    waiting = campaign.memberships.filter(status=MembershipStatus.PENDING, due_at__isnull=False)
    next_due = waiting.order_by("due_at").values_list("due_at", flat=True).first()
    latest = now + (REST if next_due else room.wait)  # the last texts are on their way: then it is completed
    return max(min(next_due or latest, latest), now + timedelta(seconds=1))


def _reconcile(campaign: Campaign) -> None:
    """Bring members back who wait for no message, such as one added since the start, and those behind their message."""
    unsent = campaign.memberships.filter(
        Q(status=MembershipStatus.PENDING, due_at__isnull=True) | Q(status=MembershipStatus.SENDING)
    )
    ended = Message.objects.filter(membership__in=unsent.values("pk"), status__in=ENDED)
    update_memberships(messages=ended.order_by("pk"))
    without_message = unsent.filter(messages__isnull=True)
    without_message.filter(status=MembershipStatus.PENDING).update(due_at=timezone.now())
    without_message.filter(status=MembershipStatus.SENDING).update(status=MembershipStatus.FAILED, reason=DELETED)

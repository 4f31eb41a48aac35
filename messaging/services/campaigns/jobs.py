"""The worker's job `campaigns`: starts scheduled campaigns, and feeds the running ones."""

import logging
from datetime import timedelta

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from crm.choices import CampaignStatus, MembershipStatus
from crm.db.audit_context import program_transaction
from crm.db.tenancy import all_tenants, all_tenants_autocommit
from crm.models import Campaign, CampaignMembership
from messaging.services.campaigns.feeder import feed_next_campaign
from messaging.services.campaigns.recall import UNSENT
from messaging.services.campaigns.runs import start_scheduled, unschedule

PENDING_HORIZON = timedelta(minutes=10)

logger = logging.getLogger(__name__)


def run_next_campaign() -> bool:
    """Start a scheduled campaign or feed a running one, of any company. Returns False if none is due."""
    return _start_next() or feed_next_campaign()


def is_campaign_due() -> bool:
    now = timezone.now()
    with all_tenants_autocommit():
        scheduled = Campaign.objects.filter(status=CampaignStatus.SCHEDULED, scheduled_at__lte=now).order_by()
        running = Campaign.objects.filter(status=CampaignStatus.RUNNING, feed_at__lte=now).order_by()
        return scheduled.values("pk").union(running.values("pk"), all=True)[:1].exists()


def has_pending_campaigns() -> bool:
    """Return whether a campaign is about to start, to send or to end.

    One that waits for long doesn't count, and members on their way count as messages do.
    """
    horizon = timezone.now() + PENDING_HORIZON
    with all_tenants():
        unsent = CampaignMembership.objects.filter(campaign=OuterRef("pk"), status__in=UNSENT)
        if Campaign.objects.filter(status=CampaignStatus.SCHEDULED, scheduled_at__lte=horizon).exists():
            return True
        running = Campaign.objects.filter(status=CampaignStatus.RUNNING)
        is_due = Exists(unsent.filter(status=MembershipStatus.PENDING, due_at__lte=horizon))
        return running.filter(is_due | ~Exists(unsent)).exists()


def _start_next() -> bool:
    with all_tenants():
        due = Campaign.objects.filter(status=CampaignStatus.SCHEDULED, scheduled_at__lte=timezone.now())
        campaign = due.order_by("scheduled_at", "pk").first()
    if campaign is None:
        return False
    with program_transaction("campaigns", company_id=campaign.company_id):
        try:
            start_scheduled(campaign=campaign)
        except Exception as error:
            if not connection.is_usable():
                raise
            logger.exception("Campaign %d could not be started.", campaign.pk)
            unschedule(campaign=campaign, reason=f"It could not start at its time ({type(error).__name__}).")
    return True

"""Campaigns and their memberships. A membership that has been sent is evidence and stays."""

from django.db import transaction
from django.db.models import QuerySet

from crm.choices import CampaignStatus, MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership
from crm.refusals import Refusal
from messaging.models import Message
from messaging.services.campaigns.recall import delete_queued
from messaging.services.campaigns.states import WrongStatus, lock_campaign

DELETABLE = (CampaignStatus.DRAFT, CampaignStatus.CANCELLED)


class MembershipKept(Refusal):
    """The membership says what happened to a contact, so it can't be deleted."""

    code = ErrorCode.MEMBERSHIP_KEPT


def delete_membership(*, membership: CampaignMembership) -> None:
    """Delete a pending membership, and its message if it waits in the outbox. Raises MembershipKept for any other."""
    with transaction.atomic():
        delete_queued(messages=Message.objects.filter(membership=membership.pk))
        pending = CampaignMembership.objects.filter(pk=membership.pk, status=MembershipStatus.PENDING)
        # Its message may be held, or sending may have begun since the row was read.
        if (
            not pending.select_for_update(of=("self",)).exists()
            or Message.objects.filter(membership=membership).exists()
        ):
            raise MembershipKept
        pending.delete()


def delete_campaign(*, campaign: Campaign) -> None:
    """Delete a draft or a cancelled campaign with its steps and pending memberships.

    Raises:
        WrongStatus: it has another status.
        ProtectedError: it has memberships that show what happened.
    """
    with transaction.atomic():
        campaign = lock_campaign(campaign.pk)
        if campaign.status not in DELETABLE:
            raise WrongStatus.of(campaign, "Only a draft or a cancelled campaign can be deleted.")
        campaign.memberships.filter(status=MembershipStatus.PENDING).delete()
        if not campaign.memberships.exists():
            campaign.steps.all().delete()
            campaign.counts.all().delete()
        campaign.delete()


def kept_memberships(*, campaign: Campaign) -> QuerySet[CampaignMembership]:
    """Return the memberships that show what happened, with which a campaign can't be deleted."""
    return CampaignMembership.objects.filter(campaign=campaign).exclude(status=MembershipStatus.PENDING)

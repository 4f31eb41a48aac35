"""Campaigns and their memberships. A membership that has been sent is evidence and stays."""

from django.db import transaction

from crm.choices import MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership
from crm.refusals import Refusal


class MembershipKept(Refusal):
    """The membership says what happened to a contact, so it can't be deleted."""

    code = ErrorCode.MEMBERSHIP_KEPT


def delete_membership(*, membership: CampaignMembership) -> None:
    """Delete a pending membership. Raises MembershipKept for any other."""
    # Decided by the statement itself: sending may have begun since the row was read.
    pending = CampaignMembership.objects.filter(pk=membership.pk, status=MembershipStatus.PENDING)
    if not pending.delete()[0]:
        raise MembershipKept


def delete_campaign(*, campaign: Campaign) -> None:
    """Delete a campaign with its steps and pending memberships. Raises ProtectedError if it has others."""
    with transaction.atomic():
        campaign.memberships.filter(status=MembershipStatus.PENDING).delete()
        if not campaign.memberships.exists():
            campaign.steps.all().delete()
            campaign.counts.all().delete()
        campaign.delete()

"""Campaigns and their memberships. A membership that has been sent is evidence and stays."""

from django.db import transaction

from crm.choices import MembershipStatus
from crm.models import Campaign, CampaignMembership


class MembershipKept(Exception):
    """The membership says what happened to a contact, so it can't be deleted."""


def delete_membership(*, membership: CampaignMembership) -> None:
    """Delete a pending membership. Raises MembershipKept for any other."""
    # Decided by the statement itself: sending may have begun since the row was read.
    pending = CampaignMembership.objects.filter(pk=membership.pk, status=MembershipStatus.PENDING)
    if not pending.delete()[0]:
        raise MembershipKept("Only a pending membership can be deleted; any other shows what happened.")


def delete_campaign(*, campaign: Campaign) -> None:
    """Delete a campaign with its pending memberships. Raises ProtectedError if it has others."""
    with transaction.atomic():
        campaign.memberships.filter(status=MembershipStatus.PENDING).delete()
        campaign.delete()

"""Progress of campaign memberships."""

from datetime import timedelta

from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.choices import MembershipStatus
from crm.models import CampaignMembership
from crm.models.campaigns import SENT
from messaging.choices import MessageStatus
from messaging.models import Message

REPLY_WINDOW = timedelta(hours=72)

# In chronological order. Statuses not listed here are never changed.
_STAGES = (
    MembershipStatus.PENDING,
    MembershipStatus.SENDING,
    MembershipStatus.SENT,
    MembershipStatus.FAILED,
    MembershipStatus.UNDELIVERED,
    MembershipStatus.DELIVERED,
    MembershipStatus.REPLIED,
)
_STAGE_OF = {
    MessageStatus.SENDING: MembershipStatus.SENDING,
    MessageStatus.SENT: MembershipStatus.SENT,
    MessageStatus.FAILED: MembershipStatus.FAILED,
    MessageStatus.UNDELIVERED: MembershipStatus.UNDELIVERED,
    MessageStatus.DELIVERED: MembershipStatus.DELIVERED,
}


def update_membership(*, message: Message) -> None:
    """Advance the message's campaign membership, if any, to the status of the message. It never moves back."""
    status = _STAGE_OF.get(MessageStatus(message.status))
    if message.membership_id is None or status is None:
        return
    behind = CampaignMembership.objects.filter(pk=message.membership_id, status__in=_STAGES[: _STAGES.index(status)])
    if status in SENT:
        behind.update(status=status, reason=message.error[:200], sent_at=Coalesce("sent_at", timezone.now()))
    else:
        behind.update(status=status, reason=message.error[:200])


def mark_membership_replied(*, message: Message) -> None:
    """Mark the sender's latest campaign membership, sent within REPLY_WINDOW before the message, as replied."""
    sent = CampaignMembership.objects.filter(
        contact=message.contact_id,
        sent_at__range=(message.created_at - REPLY_WINDOW, message.created_at),
        status__in=_STAGES[_STAGES.index(MembershipStatus.SENT) :],
    )
    latest = sent.order_by("-sent_at", "-id").values("pk")[:1]
    CampaignMembership.objects.filter(pk__in=latest).update(status=MembershipStatus.REPLIED, reason="")

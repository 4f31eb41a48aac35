"""How a campaign's memberships follow the texts that were sent for them."""

from datetime import timedelta

from django.db.models.functions import Coalesce
from django.utils import timezone

from crm.choices import MembershipStatus
from crm.models import CampaignMembership
from crm.models.campaigns import SENT
from messaging.choices import MessageStatus
from messaging.models import Message

ANSWERS_WITHIN = timedelta(hours=72)

# In the order in which they follow one another; what isn't here is not ours to change.
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


def follow_membership(*, message: Message) -> None:
    """Move the membership that the text was sent for, if any, on to where the text is. It never moves back."""
    status = _STAGE_OF.get(MessageStatus(message.status))
    if message.membership_id is None or status is None:
        return
    behind = CampaignMembership.objects.filter(pk=message.membership_id, status__in=_STAGES[: _STAGES.index(status)])
    if status in SENT:
        behind.update(status=status, reason=message.error[:200], sent_at=Coalesce("sent_at", timezone.now()))
    else:
        behind.update(status=status, reason=message.error[:200])


def note_reply(*, message: Message) -> None:
    """Mark the latest that was sent to who wrote this text within ANSWERS_WITHIN before it as replied to."""
    sent = CampaignMembership.objects.filter(
        contact=message.contact_id,
        sent_at__range=(message.created_at - ANSWERS_WITHIN, message.created_at),
        status__in=_STAGES[_STAGES.index(MembershipStatus.SENT) :],
    )
    latest = sent.order_by("-sent_at", "-id").values("pk")[:1]
    CampaignMembership.objects.filter(pk__in=latest).update(status=MembershipStatus.REPLIED, reason="")

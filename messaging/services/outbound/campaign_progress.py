"""Progress of campaign memberships."""

from collections import defaultdict
from collections.abc import Iterable
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


def update_memberships(*, messages: Iterable[Message]) -> None:
    """Advance the messages' campaign memberships to the statuses of the messages, in a few statements for all.

    None ever moves back.
    """
    ids: dict[tuple[MembershipStatus, str], list[int]] = defaultdict(list)
    for message in messages:
        status = _STAGE_OF.get(MessageStatus(message.status))
        if message.membership_id is not None and status is not None:
            ids[status, message.error[:200]].append(message.membership_id)
    for (status, reason), members in ids.items():
        behind = CampaignMembership.objects.filter(pk__in=members, status__in=_STAGES[: _STAGES.index(status)])
        if status in SENT:
            behind.update(status=status, reason=reason, sent_at=Coalesce("sent_at", timezone.now()))
        else:
            behind.update(status=status, reason=reason)


def mark_membership_replied(*, message: Message) -> None:
    """Mark the sender's latest campaign membership, sent within REPLY_WINDOW before the message, as replied."""
    sent = CampaignMembership.objects.filter(
        contact=message.contact_id,
        sent_at__range=(message.created_at - REPLY_WINDOW, message.created_at),
        status__in=_STAGES[_STAGES.index(MembershipStatus.SENT) :],
    )
    latest = sent.order_by("-sent_at", "-id").values("pk")[:1]
    CampaignMembership.objects.filter(pk__in=latest).update(status=MembershipStatus.REPLIED, reason="")

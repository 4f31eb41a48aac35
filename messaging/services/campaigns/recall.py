"""Recall of campaign messages that wait in the outbox: their members return to the campaign's queue."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from crm.choices import CampaignStatus, MembershipStatus
from crm.models import Activity, Campaign, CampaignMembership, Conversation
from messaging.choices import LOST, MessageStatus
from messaging.models import Message

CANCELLED = "The campaign was cancelled."
UNSENT = (MembershipStatus.PENDING, MembershipStatus.SENDING)


def recall_queued(*, campaign: Campaign) -> None:
    """Take the campaign's queued messages out of the outbox, by the index of its line's queued messages."""
    recall_messages(messages=Message.objects.filter(phone_line=campaign.phone_line_id, membership__campaign=campaign))


def recall_held(*, campaign: Campaign) -> None:
    """Take the campaign's messages that a person had to decide about out of the outbox: the campaign's decides.

    Otherwise their members, who wait again, would get a second text when it is released. A message that was held after
    an attempt may have left: its member isn't pending, and doesn't wait.
    """
    held = Message.objects.filter(
        company=campaign.company_id, membership__campaign=campaign, membership__status=MembershipStatus.PENDING
    )
    recall_messages(messages=held, status=MessageStatus.HELD)


def recall_messages(*, messages: QuerySet, status: str = MessageStatus.QUEUED) -> int:
    """Take the queued ones of these messages out of the outbox. Returns how many.

    A queued message is known not to have left, also after an attempt. So its member may wait again, the only way back
    from `sending`, unless another text of it is on its way. Nobody waits for a cancelled campaign, nor in a sequence
    that has stopped.
    """
    members = delete_queued(messages=messages, status=status)
    recalled = without_texts(CampaignMembership.objects.filter(pk__in=members, status__in=UNSENT))
    cancelled = recalled.filter(campaign__status=CampaignStatus.CANCELLED)
    number = cancelled.update(status=MembershipStatus.SKIPPED, reason=CANCELLED, due_at=None, sms_segments=0)
    stopped = recalled.filter(pk__in=stopped_members())
    number += stopped.update(status=MembershipStatus.SKIPPED, due_at=None, sms_segments=0)
    return number + recalled.update(status=MembershipStatus.PENDING, due_at=timezone.now(), reason="", sms_segments=0)


def stopped_members() -> QuerySet:
    """Return the memberships whose sequence stopped while a worker was sending their step: `reason` says why."""
    steps = CampaignMembership.objects.filter(step__gte=2, status__in=(MembershipStatus.SENDING, MembershipStatus.SENT))
    return steps.exclude(reason="")


def without_texts(members: QuerySet) -> QuerySet:
    """Return those of these memberships of which no text has left, may have left, or waits.

    After a merge of contacts a member may have two. It ends by the one that arrives, or by the last that doesn't.
    """
    texts = Message.objects.filter(membership=OuterRef("pk")).exclude(status__in=LOST)
    return members.filter(~Exists(texts))


def lock_campaigns_of(*, messages: Iterable[int]) -> None:
    """Lock the campaigns of these messages, given by id, so that none changes its status meanwhile."""
    members = CampaignMembership.objects.filter(messages__in=messages)
    campaigns = Campaign.objects.filter(pk__in=members.values("campaign")).order_by("pk")
    list(campaigns.select_for_update(no_key=True).values_list("pk", flat=True))


def delete_queued(*, messages: QuerySet, status: str = MessageStatus.QUEUED) -> list[int]:
    """Delete the queued ones of these messages, or those with `status`, with their activities.

    Returns their memberships.

    A conversation that was begun for such a message goes, too, unless something else has happened in it.
    """
    # By their ids, and before their activities, as a merge of contacts does.
    queued = messages.filter(status=status, membership__isnull=False).order_by("pk")
    # Locked first: one that a worker claims meanwhile is no longer queued, and stays.
    rows = queued.select_for_update(of=("self",)).values_list(
        "pk", "membership", "activity", "activity__created_at", "activity__conversation",
        "activity__conversation__created_at",
    )  # fmt: skip
    found = list(rows)
    if not found:
        return []
    Message.objects.filter(pk__in=[row[0] for row in found]).order_by()._raw_delete(Message.objects.db)
    activities = Activity.objects.filter(pk__in=[activity for _, _, activity, *_ in found])
    activities.order_by()._raw_delete(Activity.objects.db)
    _delete_empty_conversations([row[4] for row in found if row[5] is not None and row[5] >= row[3]])
    return [membership for _, membership, *_ in found]


def _delete_empty_conversations(ids: list[int]) -> None:
    if not ids:
        return
    conversations = Conversation.objects.filter(pk__in=ids).order_by("pk")
    # Locked first, as an incoming message does: the next statement sees its activity.
    locked = list(conversations.select_for_update().values_list("pk", flat=True))
    activities = Activity.objects.filter(conversation=OuterRef("pk"))
    empty = Conversation.objects.filter(~Exists(activities), pk__in=locked).order_by()
    empty._raw_delete(Conversation.objects.db)

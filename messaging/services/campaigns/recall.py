"""Recall of campaign messages that wait in the outbox: their members return to the campaign's queue."""

from django.db.models import QuerySet
from django.utils import timezone

from crm.choices import CampaignStatus, MembershipStatus
from crm.models import Activity, CampaignMembership
from messaging.choices import MessageStatus
from messaging.models import Message

CANCELLED = "The campaign was cancelled."
UNSENT = (MembershipStatus.PENDING, MembershipStatus.SENDING)


def recall_messages(*, messages: QuerySet) -> int:
    """Take the queued ones of these messages out of the outbox. Returns how many.

    A queued message is known not to have left, also after an attempt. So its member may wait again, the only way back
    from `sending`. Nobody waits for a cancelled campaign.
    """
    members = delete_queued(messages=messages)
    recalled = CampaignMembership.objects.filter(pk__in=members, status__in=UNSENT)
    cancelled = recalled.filter(campaign__status=CampaignStatus.CANCELLED)
    number = cancelled.update(status=MembershipStatus.SKIPPED, reason=CANCELLED, due_at=None, sms_segments=0)
    return number + recalled.update(status=MembershipStatus.PENDING, due_at=timezone.now(), reason="", sms_segments=0)


def delete_queued(*, messages: QuerySet) -> list[int]:
    """Delete the queued ones of these messages with their activities. Returns their memberships."""
    queued = messages.filter(status=MessageStatus.QUEUED, membership__isnull=False).order_by()
    # Locked first: one that a worker claims meanwhile is no longer queued, and stays.
    rows = queued.select_for_update(of=("self",)).values_list("pk", "activity", "membership")
    found = list(rows)
    if not found:
        return []
    ids, activities, members = zip(*found, strict=True)
    Message.objects.filter(pk__in=ids).order_by()._raw_delete(Message.objects.db)
    Activity.objects.filter(pk__in=activities).order_by()._raw_delete(Activity.objects.db)
    return list(members)

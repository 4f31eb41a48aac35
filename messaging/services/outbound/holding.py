"""Holding messages until a person decides: a restored database must not text people again."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from crm.choices import MembershipStatus
from crm.models import CampaignMembership
from messaging.choices import OUTCOME_UNKNOWN, MessageStatus
from messaging.models import Message

HELD_AS_STALE = "It is overdue by more than {hours} hours, so a person must decide."
HELD_BY_COMMAND = "It was held by hold_texts."
MAY_HAVE_LEFT = "It was held by hold_texts, and may have been sent before. Look at the provider before you release it."
CANCELLED = "It was cancelled while it was held."


def is_stale(due_at: datetime) -> bool:
    """Return whether a message that was due at this time is too late to be sent without a person's decision."""
    return due_at < stale_before(timezone.now())


def stale_before(now: datetime) -> datetime:
    return now - timedelta(hours=settings.STALE_TEXT_HOURS)


def stale_reason() -> str:
    return HELD_AS_STALE.format(hours=settings.STALE_TEXT_HOURS)


def hold_messages(*, messages: QuerySet, reason: str) -> int:
    """Hold the queued ones of these messages. Returns how many."""
    return messages.filter(status=MessageStatus.QUEUED).update(status=MessageStatus.HELD, error=reason, run_at=None)


def hold_unknown_messages(*, messages: QuerySet) -> int:
    """Hold those of these messages whose outcome is unknown: they are no longer looked up. Returns how many.

    A lookup that doesn't find a message sends it once more. In a restored copy it would do so without the STOPs since
    the dump. A call that is running meanwhile still records that the message was sent.
    """
    unknown = messages.filter(status__in=OUTCOME_UNKNOWN)
    return unknown.update(status=MessageStatus.HELD, error=MAY_HAVE_LEFT, run_at=None)


def release_messages(*, messages: QuerySet) -> int:
    """Queue the held ones of these messages again. The send policy applies. Returns how many."""
    return _held(messages).update(status=MessageStatus.QUEUED, error="", run_at=timezone.now())


def cancel_messages(*, messages: QuerySet) -> int:
    """Fail the held ones of these messages; their campaigns skip the contact. Returns how many."""
    unsent = [MembershipStatus.PENDING, MembershipStatus.SENDING]
    memberships = CampaignMembership.objects.filter(messages__in=_held(messages), status__in=unsent)
    memberships.update(status=MembershipStatus.SKIPPED, reason=CANCELLED)
    return _held(messages).update(status=MessageStatus.FAILED, error=CANCELLED)


def _held(messages: QuerySet) -> QuerySet:
    return Message.objects.filter(pk__in=messages.values("pk"), status=MessageStatus.HELD)

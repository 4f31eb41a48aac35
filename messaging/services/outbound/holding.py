"""Holding messages until a person decides: a restored database must not text people again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from crm.choices import MembershipStatus
from messaging.choices import OUTCOME_UNKNOWN, MessageStatus, OwnCode
from messaging.models import Message
from messaging.services.outbound.campaign_progress import end_memberships

HELD_AS_STALE = "It is overdue by more than {hours} hours, so a person must decide."
HELD_BY_COMMAND = "It was held by hold_texts."
MAY_HAVE_LEFT = "It was held by hold_texts, and may have been sent before. Look at the provider before you release it."
HELD_FOR_REPLY = "The contact has replied since it was written. Send it anyway, or cancel it."
CANCELLED = "It was cancelled while it was held."


def is_stale(due_at: datetime) -> bool:
    """Return whether a message that was due at this time is too late to be sent without a person's decision."""
    return due_at < stale_before(timezone.now())


def stale_before(now: datetime) -> datetime:
    return now - timedelta(hours=settings.STALE_TEXT_HOURS)


def stale_reason() -> str:
    return HELD_AS_STALE.format(hours=settings.STALE_TEXT_HOURS)


def hold_messages(*, messages: QuerySet, reason: str, code: str = "") -> int:
    """Hold the queued ones of these messages. Returns how many."""
    queued = messages.filter(status=MessageStatus.QUEUED)
    return queued.update(status=MessageStatus.HELD, error=reason, error_code=code, run_at=None)


def hold_answered(*, messages: QuerySet) -> int:
    """Hold the queued ones of these messages, because the contact has replied. Returns how many."""
    return hold_messages(messages=messages.filter(hold_if_reply=True), reason=HELD_FOR_REPLY, code=OwnCode.REPLIED)


def hold_unknown_messages(*, messages: QuerySet) -> int:
    """Hold those of these messages whose outcome is unknown: they are no longer looked up. Returns how many.

    A lookup that doesn't find a message sends it once more. In a restored copy it would do so without the STOPs since
    the dump. A call that is running meanwhile still records that the message was sent.
    """
    unknown = messages.filter(status__in=OUTCOME_UNKNOWN)
    return unknown.update(status=MessageStatus.HELD, error=MAY_HAVE_LEFT, run_at=None)


def release_messages(*, messages: QuerySet) -> int:
    """Queue the held ones of these messages again. The send policy applies. Returns how many.

    A scheduled one still waits for its time. No reply holds it back any more: a person has decided to send it.
    """
    held = Message.objects.filter(pk__in=messages.values("pk"), status=MessageStatus.HELD)
    run_at = Greatest(Coalesce("send_at", timezone.now()), timezone.now())
    return held.update(status=MessageStatus.QUEUED, error="", error_code="", hold_if_reply=False, run_at=run_at)


def cancel_messages(
    *, messages: QuerySet, statuses: Sequence[str] = (MessageStatus.HELD,), reason: str = CANCELLED
) -> int:
    """Fail those of these messages that have one of the statuses; their campaigns skip the contact. Returns how many.

    Of a cancellation and a worker's claim at the same time, one finds the message as the other has left it.
    """
    with transaction.atomic():
        waiting = Message.objects.filter(pk__in=messages.values("pk"), status__in=statuses).order_by("pk")
        ids = list(waiting.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
        failed = {"status": MessageStatus.FAILED, "error": reason[:300], "error_code": OwnCode.CANCELLED}
        number = Message.objects.filter(pk__in=ids).update(**failed, run_at=None)
        end_memberships(messages=ids, status=MembershipStatus.SKIPPED, reason=reason)
        return number

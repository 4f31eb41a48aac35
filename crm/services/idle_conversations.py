"""Closing of conversations in which nothing has happened for long."""

import time
from datetime import timedelta

from django.utils.timezone import now

from crm.choices import ConversationStatus
from crm.db.tenancy import tenant
from crm.models import Company, Conversation

EVERY_S = 600
BATCH = 500  # rows locked at once
_next_s = float("-inf")


def close_idle_conversations(*, company: Company, limit: int | None = None) -> int:
    """Close the company's conversations that are idle for `close_conversations_after_days`. Returns their number.

    A new incoming call or message opens them again. Nobody closes every conversation by hand, and an open one keeps
    all of its calls and messages out of the archive.
    """
    if company.close_conversations_after_days is None:
        return 0
    cut_off = now() - timedelta(days=company.close_conversations_after_days)
    closed = 0
    while limit is None or closed < limit:
        with tenant(company.pk):
            idle = Conversation.objects.exclude(status=ConversationStatus.CLOSED).filter(last_activity_at__lt=cut_off)
            found = list(idle.order_by("last_activity_at").values_list("pk", flat=True)[:BATCH])
            if not found:
                break
            # The condition is checked again: a message may have come in between.
            closed += idle.filter(pk__in=found).update(status=ConversationStatus.CLOSED)
    return closed


def close_next_idle_conversations() -> bool:
    """Close a batch of idle conversations of each company, every ten minutes. Returns whether there were any."""
    global _next_s
    if time.monotonic() < _next_s:
        return False
    companies = Company.objects.exclude(close_conversations_after_days=None).order_by("pk")
    closed = sum(close_idle_conversations(company=company, limit=BATCH) for company in companies)
    if not closed:
        _next_s = time.monotonic() + EVERY_S
    return bool(closed)

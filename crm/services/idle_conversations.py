"""Closing of conversations in which nothing has happened for long."""

from datetime import timedelta

from django.utils.timezone import now

from crm.choices import ConversationStatus
from crm.db.tenancy import tenant
from crm.models import Company, Conversation

BATCH = 500  # rows locked at once


def close_idle_conversations(*, company: Company) -> int:
    """Close the company's conversations that are idle for `close_conversations_after_days`. Returns their number.

    A new incoming call or message opens them again. One that is snoozed until a time comes back by itself first.
    Nobody closes every conversation by hand, and an open one keeps all of its calls and messages out of the archive.
    """
    if company.close_conversations_after_days is None:
        return 0
    cut_off = now() - timedelta(days=company.close_conversations_after_days)
    closed = 0
    while True:
        with tenant(company.pk):
            idle = Conversation.objects.filter(snoozed_until__isnull=True, last_activity_at__lt=cut_off)
            idle = idle.exclude(status=ConversationStatus.CLOSED)
            found = list(idle.order_by("last_activity_at").values_list("pk", flat=True)[:BATCH])
            if not found:
                break
            # The condition is checked again: a message may have come in between.
            closed += idle.filter(pk__in=found).update(status=ConversationStatus.CLOSED)
    return closed

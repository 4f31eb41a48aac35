"""Counts of the webhook events whose processing has ended, for `/metrics`. They only grow."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Count, F
from django.db.models.expressions import CombinedExpression

from crm.db.tenancy import tenant
from messaging.choices import EventStatus
from messaging.models import ProviderHealth, WebhookEvent

# Columns of ProviderHealth.
ENDED = {
    EventStatus.PROCESSED: "events_processed",
    EventStatus.IGNORED: "events_ignored",
    EventStatus.DEAD: "events_dead",
}


def count_ended_events(*, events: Sequence[WebhookEvent]) -> None:
    """Count those of a company's events that are processed, ignored or dead now."""
    with tenant(events[0].company_id):
        ended = WebhookEvent.objects.filter(pk__in=[event.pk for event in events], status__in=ENDED)
        counts = list(ended.values_list("provider", "status").annotate(Count("pk")).order_by())
    count_ended(counts)


def count_ended(counts: Iterable[tuple[str, str, int]]) -> None:
    """Count events by provider and status.

    Call it outside of any transaction: all processes count in one row of the provider, and would wait for each other. A
    process that is killed before it leaves its last events out.
    """
    grown: dict[str, dict[str, CombinedExpression]] = defaultdict(dict)
    for provider, status, count in counts:
        column = ENDED[EventStatus(status)]
        grown[provider][column] = F(column) + count
    for provider, values in grown.items():
        if not ProviderHealth.objects.filter(provider=provider).update(**values):
            ProviderHealth.objects.get_or_create(provider=provider)
            ProviderHealth.objects.filter(provider=provider).update(**values)

"""Deliveries that a worker is to deal with once more: dead ones, and those of kinds that are understood since."""

from django.utils import timezone

from messaging.choices import EventStatus
from messaging.querysets import WebhookEventQuerySet


def reprocess_webhook_events(*, events: WebhookEventQuerySet) -> int:
    """Let the worker deal with these deliveries again, with all their tries. Returns how many; waiting ones stay.

    What a delivery brought before is found again and not added twice, so that a processed one may go as well.
    """
    return events.exclude(status=EventStatus.PENDING).update(
        status=EventStatus.PENDING, processed=False, processed_at=None, error="", tries=0, run_at=timezone.now()
    )

"""Removal of outgoing events that have ended."""

from datetime import timedelta

from django.utils import timezone

from crm.choices import OutgoingStatus
from crm.db.tenancy import all_tenants
from crm.models import OutgoingEvent

KEPT = timedelta(days=30)
BATCH = 5000


def remove_ended_events() -> None:
    """Delete old events in transactions of one batch."""
    while True:
        with all_tenants():
            ended = OutgoingEvent.objects.exclude(status=OutgoingStatus.PENDING)
            old = ended.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")
            first = list(old.values_list("pk", flat=True)[:BATCH])
            OutgoingEvent.objects.filter(pk__in=first).delete()
        if len(first) < BATCH:
            return

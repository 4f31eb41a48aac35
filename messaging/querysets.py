"""The business's words for deliveries. A query has a name, and it lives here."""

from datetime import datetime
from typing import Self

from django.db.models import QuerySet

from messaging.choices import EventStatus


class WebhookEventQuerySet(QuerySet):
    def waiting(self) -> Self:
        """Deliveries that a worker has still to deal with, oldest first. Dead ones wait for a person instead."""
        return self.filter(processed=False, status=EventStatus.PENDING).order_by("created_at", "id")

    def due(self, now: datetime) -> Self:
        """Waiting deliveries that no worker holds and no backoff delays."""
        return self.waiting().filter(run_at__lte=now)

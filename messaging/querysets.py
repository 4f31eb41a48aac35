"""The business's words for deliveries and texts. A query has a name, and it lives here."""

from datetime import datetime
from typing import Any, Self

from django.db.models import Exists, OuterRef, Q, QuerySet

from crm.choices import Direction
from crm.querysets import OfContactQuerySet
from messaging.choices import DONE, EventStatus, MessageStatus


class WebhookEventQuerySet(QuerySet):
    def waiting(self) -> Self:
        """Deliveries that a worker has still to deal with, oldest first. Dead ones wait for a person instead."""
        return self.filter(processed=False, status=EventStatus.PENDING).order_by("created_at", "id")

    def with_status(self, *statuses: str) -> Self:
        """By status; with `processed`, which follows from it and has the index, so that the few dead ones are found."""
        return self.filter(status__in=statuses, processed__in={status in DONE for status in statuses})

    def due(self, now: datetime) -> Self:
        """Waiting deliveries that no worker holds and no backoff delays."""
        return self.waiting().filter(run_at__lte=now)

    def since(self, moment: datetime) -> Self:
        """Deliveries that reached us since then. Done or not: the index over all companies begins with that."""
        return self.filter(processed__in=[True, False], created_at__gte=moment)


class MessageQuerySet(OfContactQuerySet):
    def unread(self) -> Self:
        """Texts that came in and that nobody of us has read."""
        return self.filter(direction=Direction.INCOMING, read_at__isnull=True)

    def ready_to_leave(self, now: datetime) -> Self:
        """Queued texts whose time has come, on lines whose pace lets one more go; the one that waits longest first.

        A text waits for what was queued before it, of its kind, to the same contact over the same line, and for any
        of which nobody knows yet whether it has left: so they arrive in order, and a text that is told of or looked up
        can be one of ours only.
        """
        messages: Any = self.model
        before = messages.objects.filter(
            Q(status__in=[MessageStatus.SENDING, MessageStatus.UNKNOWN])
            | Q(status=MessageStatus.QUEUED, kind=OuterRef("kind"), pk__lt=OuterRef("pk")),
            contact=OuterRef("contact"),
            phone_line=OuterRef("phone_line"),
        )
        ready = self.filter(status=MessageStatus.QUEUED, run_at__lte=now, phone_line__next_send_at__lte=now)
        return ready.filter(~Exists(before)).order_by("run_at", "id")

    def to_look_up(self, now: datetime) -> Self:
        """Texts of which nobody knows whether they have left: no answer came, or whoever sent them is gone."""
        return self.filter(status__in=[MessageStatus.SENDING, MessageStatus.UNKNOWN], run_at__lte=now).order_by(
            "run_at", "id"
        )

    def on_their_way(self, until: datetime) -> Self:
        """Texts that a worker has still to deal with by then."""
        return self.filter(
            status__in=[MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN], run_at__lte=until
        )

"""Outgoing webhooks, and the events that are sent to them."""

from datetime import datetime, timedelta
from secrets import token_hex
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import OutgoingStatus
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.fields import EncryptedTextField
from crm.models.api_tokens import ApiToken
from crm.models.changes import Change
from crm.models.companies import User

TRIED_FOR = timedelta(days=3)
IDLE_FOR = timedelta(hours=1)  # so often the position of a webhook without changes is renewed


class OutgoingWebhookQuerySet(models.QuerySet):
    def in_force(self, at: datetime) -> "OutgoingWebhookQuerySet":
        """Return active webhooks, without those of API tokens that have ended."""
        return self.filter(Q(api_token=None) | Exists(_token_in_force(at)), is_active=True)

    def of_ended_tokens(self, at: datetime) -> "OutgoingWebhookQuerySet":
        """Return active webhooks of API tokens that have ended."""
        return self.filter(~Exists(_token_in_force(at)), api_token__isnull=False, is_active=True)

    def behind(self, at: datetime) -> "OutgoingWebhookQuerySet":
        """Return active webhooks with changes after their position, or with an old position."""
        same = Change.objects.filter(company=OuterRef("company"), xid__gte=OuterRef("read_xid"))  # bounds the index
        after = same.filter(Q(xid__gt=OuterRef("read_xid")) | Q(pk__gt=OuterRef("read_id")))
        return self.in_force(at).filter(Q(read_at__lt=at - IDLE_FOR) | Exists(after))

    def ready(self, at: datetime) -> "OutgoingWebhookQuerySet":
        """Return webhooks that don't rest, that no worker sends to, and that have an event to send."""
        due = OutgoingEvent.objects.filter(webhook=OuterRef("pk"), status=OutgoingStatus.PENDING, run_at__lte=at)
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        return self.in_force(at).filter(free, Exists(due), next_at__lte=at)


def _token_in_force(at: datetime) -> models.QuerySet:
    return ApiToken.objects.in_force(at).filter(pk=OuterRef("api_token"))


class OutgoingWebhook(TenantModel):
    """A URL of a company's own program, to which changes are sent. See `crm.services.outgoing_webhooks`."""

    name = models.CharField(max_length=50)
    url = models.CharField(max_length=500, verbose_name="URL")
    resources = models.JSONField(help_text="Resources whose changes are sent.")
    secret = EncryptedTextField()
    old_secret = EncryptedTextField(null=True, blank=True, help_text="The secret before the last rotation.")
    old_secret_until = models.DateTimeField(null=True, blank=True, help_text="Until when it signs as well.")
    is_active = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, blank=True, help_text="Why the product has switched it off.")

    failing_since = models.DateTimeField(null=True, blank=True, help_text="Empty: the last attempt succeeded.")
    failures = models.IntegerField(default=0, help_text="Failed attempts since the last success.")
    next_at = models.DateTimeField(default=now, help_text="Until when it rests after a failure.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until when a worker sends to it.")

    read_xid = models.BigIntegerField(default=0, help_text="Up to where its changes have become events.")
    read_id = models.BigIntegerField(default=0, verbose_name="read ID")
    history = models.CharField(max_length=60, blank=True)
    read_at = models.DateTimeField(default=now)

    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    api_token = models.ForeignKey(
        ApiToken, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False,
        verbose_name="API token", help_text="The API token that it belongs to, and ends with. Empty: it is a user's.",
    )  # fmt: skip
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(OutgoingWebhookQuerySet)()
    audit = Audit(
        skips=(
            "updated_at", "failing_since", "failures", "next_at", "lease_until", "read_xid", "read_id", "history",
            "read_at",
        ),
        hides=("secret", "old_secret"),
    )  # fmt: skip
    feed = Feed(
        "outgoing-webhooks",
        ignores=("failures", "next_at", "lease_until", "read_xid", "read_id", "history", "read_at"),
    )

    class Meta:
        db_table = "outgoing_webhooks"
        constraints = [
            in_range(
                "created_at", "next_at", "read_at", nullable=("old_secret_until", "failing_since", "lease_until"),
                name="outgoing_webhooks_times_in_range",
            ),
        ]  # fmt: skip
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_outgoing_webhooks_company_id_created_at",
                question="A company's outgoing webhooks, newest first?",
                asked_by="GET /api/v1/outgoing-webhooks",
            ),
        ]

    def __str__(self) -> str:
        return self.name


def new_event_id() -> str:
    return f"evt_{token_hex(16)}"


def give_up_at() -> datetime:
    return now() + TRIED_FOR


class OutgoingEvent(TenantModel):
    """A change that is sent to an outgoing webhook, until it answers or three days have passed."""

    webhook = models.ForeignKey(OutgoingWebhook, on_delete=models.CASCADE, related_name="events", db_index=False)
    event_id = models.CharField(
        max_length=40, default=new_event_id, verbose_name="event ID", help_text="The same in each attempt."
    )
    resource = models.CharField(max_length=30, blank=True)
    object_id = models.BigIntegerField(null=True, blank=True, verbose_name="object ID")
    change = models.CharField(max_length=10)
    occurred_at = models.DateTimeField()

    status = models.CharField(max_length=10, choices=OutgoingStatus.choices, default=OutgoingStatus.PENDING)
    tries = models.IntegerField(default=0, help_text="Attempts, also failed ones.")
    run_at = models.DateTimeField(default=now, help_text="Time of the next attempt.")
    give_up_at = models.DateTimeField(default=give_up_at, help_text="Time after which a failed attempt is the last.")
    answer_status = models.IntegerField(null=True, blank=True, help_text="HTTP status of the last answer.")
    error = models.CharField(max_length=200, blank=True, help_text="Why the last attempt failed.")
    created_at = models.DateTimeField(default=now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "outgoing_events"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="outgoing_events_storage"),
            one_of("status", OutgoingStatus, name="outgoing_events_status_valid"),
            in_range(
                "created_at", "run_at", "give_up_at", nullable=("sent_at",), name="outgoing_events_times_in_range"
            ),
        ]
        indexes = [
            Index(
                fields=["webhook", "run_at", "id"],
                condition=Q(status=OutgoingStatus.PENDING),
                name="ix_outgoing_events_webhook_id_run_at_id_pending",
                question="Which event is due for this webhook?",
                asked_by="the worker",
            ),
            Index(
                fields=["webhook", "created_at"],
                name="ix_outgoing_events_webhook_id_created_at",
                question="Which events were sent to this webhook, newest first?",
                asked_by="GET /api/v1/outgoing-events?webhook=; deleting a webhook",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_outgoing_events_company_id_created_at",
                question="A company's outgoing events, newest first?",
                asked_by="GET /api/v1/outgoing-events",
            ),
            Index(
                fields=["company", "created_at"],
                condition=Q(status=OutgoingStatus.DEAD),
                name="ix_outgoing_events_company_id_created_at_dead",
                question="Which outgoing events of this company are dead, newest first?",
                asked_by="GET /api/v1/outgoing-events?status=dead",
                kept_because="dead events are rare: by all events the list would read those that were sent, too.",
            ),
            Index(
                fields=["created_at"],
                condition=~Q(status=OutgoingStatus.PENDING),
                name="ix_outgoing_events_created_at_ended",
                question="Which outgoing events have ended long ago?",
                asked_by="the worker, which deletes them",
            ),
        ]

    def __str__(self) -> str:
        return self.event_id

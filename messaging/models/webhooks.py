"""Webhook events and signing secrets."""

from typing import Any, ClassVar

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import Provider
from crm.constraints import one_of
from crm.db.audit import Audit
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.encryption import keyed_hash
from crm.fields import EncryptedTextField
from messaging.choices import DONE, EventStatus
from messaging.querysets import WebhookEventQuerySet


class WebhookEvent(TenantModel):
    """One request from a provider, stored unchanged before anything else happens."""

    provider = models.CharField(max_length=20, choices=Provider.choices)
    event_id = models.CharField(
        max_length=200, help_text="The provider's event ID, else a hash of the body.", verbose_name="event ID"
    )
    event_type = models.CharField(max_length=100, blank=True)
    body = models.BinaryField(help_text="Request body as signed.")
    headers = models.JSONField(default=dict)

    status = models.CharField(max_length=10, choices=EventStatus.choices, default=EventStatus.PENDING)
    processed = models.BooleanField(default=False, help_text="No processing is pending. True for ignored events, too.")
    error = models.TextField(blank=True, help_text="Why the event was ignored, failed, or had characters replaced.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Failed attempts. A worker crash doesn't count.")

    created_at = models.DateTimeField(default=now, help_text="Time of receipt.")
    run_at = models.DateTimeField(default=now, help_text="Next attempt not before this time.")
    processed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = TenantManager.from_queryset(WebhookEventQuerySet)()

    class Meta:
        db_table = "webhook_events"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="webhook_events_storage"),
            one_of("provider", Provider, name="webhook_events_provider_valid"),
            one_of("status", EventStatus, name="webhook_events_status_valid"),
            models.CheckConstraint(
                condition=Q(processed=True, status__in=DONE) | (Q(processed=False) & ~Q(status__in=DONE)),
                name="webhook_events_processed_agrees_with_status",
            ),
            models.UniqueConstraint(
                fields=["company", "provider", "event_id"], name="webhook_events_company_id_provider_event_id_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["processed", "created_at"],
                name="idx_webhook_event_processed",
                question="Which webhook events are pending, oldest first, over all companies?",
                asked_by="GET /metrics",
            ),
            Index(
                fields=["company", "run_at"],
                name="ix_webhook_events_company_id_run_at_pending",
                condition=Q(status=EventStatus.PENDING),
                question="Which companies have due webhook events, and which are next?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["event_id"],
                name="idx_webhook_event_id",
                question="Which webhook event has this ID, in any company?",
                asked_by="admin search",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_webhook_events_company_id_created_at",
                question="What are a company's webhook events, newest first, from any page on?",
                asked_by="GET /api/v1/webhook-events",
            ),
            Index(
                fields=["company", "provider", "created_at"],
                name="ix_webhook_events_company_id_provider_created_at",
                question="When did each provider send this company its last webhook event?",
                asked_by="GET /api/v1/provider-connections; GET /api/v1/webhook-events?provider=",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type or 'event'} {self.event_id}"


class WebhookSecret(TenantModel):
    """A secret with which a provider signs a company's webhook events.

    Several are valid at the same time: for two generations of webhooks, and during a rotation.
    """

    provider = models.CharField(max_length=20, choices=Provider.choices)
    secret = EncryptedTextField(validators=[MaxLengthValidator(200)])
    # For the unique constraint: ciphertexts of the same secret differ.
    secret_fingerprint = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    audit = Audit(hides=("secret", "secret_fingerprint"))

    class Meta:
        db_table = "webhook_secrets"
        constraints = [
            one_of("provider", Provider, name="webhook_secrets_provider_valid"),
            models.UniqueConstraint(
                fields=["company", "provider", "secret_fingerprint"],
                name="webhook_secrets_company_id_provider_secret_fingerprint_unique",
                violation_error_message="The company already has this secret.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} secret of {self.created_at:%Y-%m-%d}"

    def clean(self) -> None:
        """Set the fingerprint before the unique constraint is checked."""
        super().clean()
        self.secret_fingerprint = keyed_hash("webhook secret", self.secret)

    def save(self, **options: Any) -> None:
        self.secret_fingerprint = keyed_hash("webhook secret", self.secret)
        super().save(**options)

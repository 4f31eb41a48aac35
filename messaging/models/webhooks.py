"""What providers deliver, and the secrets that prove it was them."""

from typing import Any, ClassVar

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import Provider
from crm.constraints import one_of
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.encryption import keyed_hash
from crm.fields import EncryptedTextField
from messaging.choices import DONE, EventStatus
from messaging.querysets import WebhookEventQuerySet


class WebhookEvent(TenantModel):
    """One delivery from a provider, stored before anything else happens, as it came. Evidence."""

    provider = models.CharField(max_length=20, choices=Provider.choices)
    event_id = models.CharField(max_length=200, help_text="The provider's id of the event, else a hash of the body.")
    event_type = models.CharField(max_length=100, blank=True)
    body = models.BinaryField(help_text="The bytes that were signed.")
    headers = models.JSONField(default=dict)

    status = models.CharField(max_length=10, choices=EventStatus.choices, default=EventStatus.PENDING)
    processed = models.BooleanField(default=False, help_text="Nothing is left to do; true for ignored ones as well.")
    error = models.TextField(blank=True, help_text="Why it is ignored or dead, failed last, or was taken in part.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Failed ones; a killed worker's try is none.")

    created_at = models.DateTimeField(default=now, help_text="When it reached us.")
    run_at = models.DateTimeField(
        default=now, help_text="No worker takes it before: the end of a lease, or of the wait after a failure."
    )
    processed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = TenantManager.from_queryset(WebhookEventQuerySet)()

    class Meta:
        db_table = "webhook_events"
        constraints = [
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
                question="Which deliveries are still to be worked on, oldest first, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["event_id"],
                name="idx_webhook_event_id",
                question="Where is the delivery with this id, in any company?",
                asked_by="admin search",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_webhook_events_company_id_created_at",
                question="A company's deliveries, newest first, from any page on?",
                asked_by="GET /api/v1/webhook-events",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type or 'delivery'} {self.event_id}"


class WebhookSecret(TenantModel):
    """A secret that a provider signs its deliveries to one company with. Several are valid at once: two generations
    of webhooks, and the old and the new one during a rotation."""

    provider = models.CharField(max_length=20, choices=Provider.choices)
    secret = EncryptedTextField(validators=[MaxLengthValidator(200)])
    # Ciphertexts of one secret differ, so that this is what is unique.
    secret_fingerprint = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "webhook_secrets"
        constraints = [
            one_of("provider", Provider, name="webhook_secrets_provider_valid"),
            models.UniqueConstraint(
                fields=["company", "provider", "secret_fingerprint"],
                name="webhook_secrets_company_id_provider_secret_fingerprint_unique",
                violation_error_message="This secret is set already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} secret of {self.created_at:%Y-%m-%d}"

    def clean(self) -> None:
        """Before the constraint is asked."""
        super().clean()
        self.secret_fingerprint = keyed_hash("webhook secret", self.secret)

    def save(self, **options: Any) -> None:
        self.secret_fingerprint = keyed_hash("webhook secret", self.secret)
        super().save(**options)

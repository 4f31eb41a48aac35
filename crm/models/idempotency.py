"""Requests that were answered, for those who ask again because the answer got lost."""

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.querysets import IdempotencyKeyQuerySet


class IdempotencyKey(TenantModel):
    """What one request of a user was answered. Written together with what the request did, or not at all."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=100, help_text="Chosen by the client, new for each thing that it wants done.")
    request = models.CharField(max_length=250, help_text="Method and path.")
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of the request's body.")

    status = models.PositiveSmallIntegerField()
    response = models.TextField(help_text="JSON, in the order in which it was answered.")

    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar = TenantManager.from_queryset(IdempotencyKeyQuerySet)()

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            models.UniqueConstraint(
                fields=["company", "user", "key"],
                name="idempotency_keys_company_id_user_id_key_unique",
                violation_error_message="This key is in use.",
            ),
        ]
        indexes = [
            Index(
                fields=["created_at"],
                name="ix_idempotency_keys_created_at",
                question="Which keys have run out, over all companies?",
                asked_by="the worker, once a minute",
            ),
        ]

    def __str__(self) -> str:
        return self.key

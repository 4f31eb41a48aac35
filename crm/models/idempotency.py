"""Idempotency keys."""

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User
from crm.querysets import IdempotencyKeyQuerySet


class IdempotencyKey(TenantModel):
    """The stored response to a user's request, written in the transaction of the request's own changes."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=100, help_text="Chosen by the client, unique for each operation.")
    request = models.CharField(max_length=250, help_text="Method and path.")
    request_hash = models.CharField(max_length=64, help_text="Keyed hash of the request body.")

    status = models.PositiveSmallIntegerField()
    response = models.TextField(help_text="JSON response, in its original key order.")
    etag = models.CharField(max_length=100, blank=True, db_default="", help_text="Tag of the row in the response.")

    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar = TenantManager.from_queryset(IdempotencyKeyQuerySet)()

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE | {"fillfactor": 80}, name="idempotency_keys_storage"),
            models.UniqueConstraint(
                fields=["company", "user", "key"],
                name="idempotency_keys_company_id_user_id_key_unique",
                violation_error_message="This key is already in use.",
            ),
        ]
        indexes = [
            Index(
                fields=["created_at"],
                name="ix_idempotency_keys_created_at",
                question="Which keys have expired, over all companies?",
                asked_by="the worker, once a minute",
            ),
        ]

    def __str__(self) -> str:
        return self.key

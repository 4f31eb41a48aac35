"""API tokens."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import Role
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User


class ApiTokenQuerySet(models.QuerySet):
    def in_force(self, at: datetime) -> "ApiTokenQuerySet":
        """Return tokens that are neither revoked nor expired, and whose creator may still create them."""
        creator = Q(created_by__is_active=True, created_by__role=Role.MANAGER, created_by__company=F("company"))
        return self.filter(creator, Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None)


class ApiToken(TenantModel):
    """Access of a program to the API, in the name of the manager who created the token. See `crm.services.api_tokens`.

    The secret is stored as its hash: a reader of the database can't sign in with it.
    """

    name = models.CharField(max_length=50)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MANAGER)
    scopes = models.JSONField(help_text="Names of scopes, such as contacts:read.")
    beginning = models.CharField(max_length=4, help_text="First characters of the secret, to recognise it by.")
    secret_hash = models.CharField(max_length=64, help_text="SHA-256 of the secret, in hex.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Time from which it ends. Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute. Empty: never.")
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(ApiTokenQuerySet)()
    audit = Audit(skips=("updated_at", "last_used_at"), hides=("secret_hash",))
    feed = Feed("api-tokens", ignores=("last_used_at",))

    class Meta:
        db_table = "api_tokens"
        verbose_name = "API token"
        constraints = [
            one_of("role", Role, name="api_tokens_role_valid"),
            in_range(
                "created_at", nullable=("expires_at", "revoked_at", "last_used_at"), name="api_tokens_times_in_range"
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_api_tokens_company_id_created_at",
                question="A company's API tokens, newest first?",
                asked_by="GET /api/v1/api-tokens",
            ),
        ]

    def __str__(self) -> str:
        return self.name

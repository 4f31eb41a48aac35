"""Calendar feeds."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.constraints import in_range
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import User


class CalendarFeedQuerySet(models.QuerySet):
    def assigned_to(self, user: User) -> "CalendarFeedQuerySet":
        return self.filter(user=user)

    def in_force(self) -> "CalendarFeedQuerySet":
        """Return the feeds that calendars can read: neither revoked, nor of or by users who may not sign in."""
        return self.filter(
            revoked_at=None, user__is_active=True, user__company=F("company"),
            created_by__is_active=True, created_by__company=F("company"),
        )  # fmt: skip


class CalendarFeed(TenantModel):
    """A secret URL at which calendars read a user's appointments. See `crm.services.calendar_feeds`.

    The secret is stored as its hash. A change of the user's access revokes the feed: `crm.models.session_triggers`.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    beginning = models.CharField(max_length=4, help_text="First characters of the secret, to recognise it by.")
    secret_hash = models.CharField(max_length=64, help_text="SHA-256 of the secret, in hex.")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)

    created_at = models.DateTimeField(default=now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute. Empty: never.")
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(CalendarFeedQuerySet)()
    audit = Audit(skips=("updated_at", "last_used_at"), hides=("secret_hash",))
    feed = Feed("calendar-feeds", rep="user_id", ignores=("last_used_at",))

    class Meta:
        db_table = "calendar_feeds"
        constraints = [
            in_range("created_at", nullable=("revoked_at", "last_used_at"), name="calendar_feeds_times_in_range"),
            # A new one replaces the former, so that nobody reads along at an old URL.
            models.UniqueConstraint(
                fields=["company", "user"],
                condition=Q(revoked_at__isnull=True),
                name="calendar_feeds_company_id_user_id_unique",
                violation_error_message="The user has a calendar feed already.",
            ),
        ]
        indexes = [
            Index(
                fields=["company", "created_at"],
                name="ix_calendar_feeds_company_id_created_at",
                question="A company's calendar feeds, newest first?",
                asked_by="GET /api/v1/calendar-feeds",
            ),
        ]

    def __str__(self) -> str:
        return f"Calendar feed #{self.pk}"

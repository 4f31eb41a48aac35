"""Sessions of users, as their lists show them."""

from django.db import models
from django.utils.timezone import now

from crm.choices import SessionKind
from crm.constraints import one_of
from crm.db.indexes import Index
from crm.models.companies import User


class UserSession(models.Model):
    """A session that lasts: of the API with its tokens, or of the admin with its cookie. Its end deletes the row.

    `crm.api.tokens` and Django's sessions decide whether a session lasts; this row says where it began.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=SessionKind.choices)
    key = models.CharField(max_length=64, help_text="ID of the session's first token, or the key of Django's session.")
    client = models.CharField(max_length=200, blank=True, help_text="The client's User-Agent.")
    address = models.GenericIPAddressField(null=True, blank=True, help_text="Address at the sign-in.")

    created_at = models.DateTimeField(default=now, editable=False)
    last_used_at = models.DateTimeField(default=now, help_text="Time of the sign-in, or of the last refresh.")
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "user_sessions"
        constraints = [
            one_of("kind", SessionKind, name="user_sessions_kind_valid"),
            models.UniqueConstraint(fields=["kind", "key"], name="user_sessions_kind_key_unique"),
        ]
        indexes = [
            Index(
                fields=["user", "created_at"],
                name="ix_user_sessions_user_id_created_at",
                question="A user's sessions, newest first?",
                asked_by="GET /api/v1/me/sessions; the end of all sessions of a user",
            ),
            Index(
                fields=["expires_at"],
                name="ix_user_sessions_expires_at",
                question="Which sessions have expired?",
                asked_by="the worker, once a minute",
            ),
        ]

    def __str__(self) -> str:
        return f"Session #{self.pk}"

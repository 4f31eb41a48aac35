"""The outbox of mails to users."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import MailKind, MailState
from crm.constraints import one_of
from crm.db.indexes import Index
from crm.models.companies import User


class Mail(models.Model):
    """A mail that the worker sends. It holds no text: links in it are secrets, so it is written when it is sent."""

    kind = models.CharField(max_length=30, choices=MailKind.choices)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="+", db_index=False,
        help_text="Whom it is for. Empty: the users with `address`.",
    )  # fmt: skip
    address = models.CharField(max_length=254, help_text="Email address, as it was when the mail was asked for.")

    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Failed attempts.")
    run_at = models.DateTimeField(default=now, help_text="Next attempt not before this time.")
    error = models.TextField(blank=True, help_text="Why the last attempt failed, or why nothing was sent.")
    created_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Time when it was sent or given up.")

    class Meta:
        db_table = "mails"
        constraints = [
            one_of("kind", MailKind, name="mails_kind_valid"),
            one_of("state", MailState, name="mails_state_valid"),
        ]
        indexes = [
            Index(
                fields=["run_at"],
                condition=Q(state=MailState.QUEUED),
                name="ix_mails_run_at_queued",
                question="Which mail is due?",
                asked_by="the worker",
            ),
            Index(
                fields=["user"],
                name="ix_mails_user_id",
                question="Which mails are for this user?",
                asked_by="deleting a demo user",
            ),
            Index(
                fields=["created_at"],
                name="ix_mails_created_at",
                question="The newest mails, and which are too old to keep?",
                asked_by="admin: mails; the worker, once a minute",
            ),
            Index(
                fields=["created_at"],
                condition=Q(state=MailState.FAILED),
                name="ix_mails_created_at_failed",
                question="Which mails could not be sent?",
                asked_by="admin: first page",
                kept_because="few mails fail: by all mails the first page would read those that were sent, too.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

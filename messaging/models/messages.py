"""Texts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from crm.choices import Direction
from crm.constraints import one_of
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Activity, CampaignMembership, Contact, PhoneLine
from crm.phones import MAX_LENGTH
from messaging.choices import MessageKind, MessageStatus
from messaging.querysets import MessageQuerySet

ON_ITS_WAY = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)


class Message(TenantModel):
    """One text in the thread with a contact. The table keeps its historical name.

    `body` repeats the activity's, so that a thread is read from this table and a history from activities alone.

    A text of ours is its own place in the queue: `queued` until `run_at`, marked `sending` before the provider is
    called, and `unknown` where no answer came: then it is looked up there, and never just sent again.
    """

    activity = models.OneToOneField(Activity, on_delete=models.PROTECT, related_name="message")
    contact = models.ForeignKey(
        Contact,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
        db_column="contact_card_id",
        db_index=False,
    )
    phone_line = models.ForeignKey(
        PhoneLine, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    membership = models.ForeignKey(
        CampaignMembership, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False
    )

    direction = models.CharField(max_length=10, choices=Direction.choices)
    kind = models.CharField(
        max_length=20, choices=MessageKind.choices, blank=True, help_text="Empty for what we did not send from here."
    )
    from_number = models.CharField(max_length=MAX_LENGTH, blank=True, help_text="E.164, or as sent: a short code.")
    to_numbers = models.JSONField(default=list, blank=True, help_text="Every recipient; several in a group text.")
    body = models.TextField(blank=True)
    media = models.JSONField(default=list, blank=True, help_text="Attachments: a list of {url, type}.")
    status = models.CharField(max_length=20, choices=MessageStatus.choices)
    error_code = models.CharField(max_length=20, blank=True, help_text="The provider's or the carrier's.")
    error = models.CharField(max_length=300, blank=True, help_text="Why it has not left, or did not arrive.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often the provider was called.")
    run_at = models.DateTimeField(
        null=True, blank=True, help_text="No worker takes it before: it may not go yet, or another has it."
    )

    created_at = models.DateTimeField(default=now, help_text="When it was sent or received.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="When one of us read what came in.")

    objects: ClassVar = TenantManager.from_queryset(MessageQuerySet)()

    class Meta:
        db_table = "message_threads"
        constraints = [
            one_of("direction", Direction, name="message_threads_direction_valid"),
            one_of("status", MessageStatus, name="message_threads_status_valid"),
            models.CheckConstraint(
                condition=Q(kind="") | Q(kind__in=MessageKind.values, direction=Direction.OUTGOING),
                name="message_threads_kind_valid",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=ON_ITS_WAY) | Q(run_at__isnull=False),
                name="message_threads_on_its_way_has_time",
            ),
        ]
        indexes = [
            Index(
                fields=["contact", "created_at"],
                name="ix_message_threads_contact_card_id_created_at",
                question="The thread with this contact, in order, from any page on?",
                asked_by="GET /api/v1/message-threads/{contact_card_id}",
            ),
            Index(
                fields=["run_at"],
                condition=Q(status__in=ON_ITS_WAY),
                name="ix_message_threads_run_at",
                question="Which texts are to leave now, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["contact"],
                condition=Q(direction=Direction.INCOMING, read_at__isnull=True),
                name="ix_message_threads_contact_card_id_unread",
                question="How many texts of these contacts has nobody read?",
                asked_by="GET /api/v1/conversations; POST /api/v1/message-threads/{contact_card_id}/read",
                kept_because="of a long thread few texts are unread: they are counted without reading the thread.",
            ),
            Index(
                fields=["membership"],
                condition=Q(membership__isnull=False),
                name="ix_message_threads_membership_id",
                question="Which text did this membership of a campaign get?",
                asked_by="deleting a membership; a campaign's results",
            ),
        ]

    def __str__(self) -> str:
        return f"Message #{self.pk}"

"""Texts."""

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from crm.choices import Direction
from crm.constraints import one_of
from crm.db.indexes import Index
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Activity, Contact, PhoneLine
from crm.phones import MAX_LENGTH
from crm.querysets import OfContactQuerySet
from messaging.choices import MessageStatus


class Message(TenantModel):
    """One text in the thread with a contact. The table keeps its historical name.

    `body` repeats the activity's, so that a thread is read from this table and a history from activities alone.
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

    direction = models.CharField(max_length=10, choices=Direction.choices)
    from_number = models.CharField(max_length=MAX_LENGTH, blank=True, help_text="E.164, or as sent: a short code.")
    to_numbers = models.JSONField(default=list, blank=True, help_text="Every recipient; several in a group text.")
    body = models.TextField(blank=True)
    media = models.JSONField(default=list, blank=True, help_text="Attachments: a list of {url, type}.")
    status = models.CharField(max_length=20, choices=MessageStatus.choices)

    created_at = models.DateTimeField(default=now, help_text="When it was sent or received.")

    objects: ClassVar = TenantManager.from_queryset(OfContactQuerySet)()

    class Meta:
        db_table = "message_threads"
        constraints = [
            one_of("direction", Direction, name="message_threads_direction_valid"),
            one_of("status", MessageStatus, name="message_threads_status_valid"),
        ]
        indexes = [
            Index(
                fields=["contact", "created_at"],
                name="ix_message_threads_contact_card_id_created_at",
                question="The thread with this contact, in order, from any page on?",
                asked_by="GET /api/v1/message-threads/{contact_card_id}",
            ),
        ]

    def __str__(self) -> str:
        return f"Message #{self.pk}"

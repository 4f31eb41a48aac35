"""Messages."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import Direction
from crm.constraints import in_range, one_of
from crm.db.change_feed import Also, Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models import Activity, CampaignMembership, Contact, PhoneLine
from crm.phones import MAX_LENGTH
from messaging.choices import AT_ONCE, LOST, OUTCOME_UNKNOWN, MessageKind, MessageStatus
from messaging.querysets import MessageQuerySet

OUTBOX_STATUSES = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN)


class Message(TenantModel):
    """One SMS or MMS. The table keeps its historical name.

    `body` repeats the activity's body, so that messages are read from this table only, and the timeline from activities
    only. An outgoing message is its own queue entry: `queued` until `run_at`, `sending` before the provider is called,
    and `unknown` if no answer came. The first `run_at` of a scheduled one is the time that its user has chosen.
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
        max_length=20, choices=MessageKind.choices, blank=True, help_text="Empty for messages not sent by this product."
    )
    from_number = models.CharField(
        max_length=MAX_LENGTH, blank=True, help_text="E.164, or as sent, such as a short code."
    )
    to_numbers = models.JSONField(default=list, blank=True, help_text="All recipients; several in a group message.")
    priority = models.GeneratedField(
        expression=models.Case(
            models.When(kind__in=AT_ONCE, then=0),
            models.When(kind=MessageKind.CAMPAIGN, then=2),
            default=1,
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
        help_text="0 is sent first: what is useless later, then other automatic messages, then campaigns.",
    )
    body = models.TextField(blank=True)
    media = models.JSONField(default=list, blank=True, help_text="Attachments: a list of {url, type}.")
    status = models.CharField(max_length=20, choices=MessageStatus.choices)
    error_code = models.CharField(
        max_length=20,
        blank=True,
        help_text="Error code of the provider or the carrier. Own ones: `cancelled`, and `replied` of a held message.",
    )
    error = models.CharField(max_length=300, blank=True, help_text="Why the message was not sent or not delivered.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Number of send attempts.")
    run_at = models.DateTimeField(null=True, blank=True, help_text="Next attempt not before this time.")

    send_at = models.DateTimeField(null=True, blank=True, help_text="Time that a user has chosen for sending.")
    hold_if_reply = models.BooleanField(
        default=False, db_default=False, help_text="A reply that arrives before it leaves holds it back."
    )

    created_at = models.DateTimeField(
        default=now, help_text="Time of writing or receipt. It never changes: threads are in this order."
    )
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Time of the last send attempt by this product.")
    read_at = models.DateTimeField(null=True, blank=True, help_text="Time when a user read the incoming message.")

    objects: ClassVar = TenantManager.from_queryset(MessageQuerySet)()
    feed = Feed(
        "message-threads",
        key="contact_card_id",
        ignores=("tries", "run_at"),
        also=(Also("held-messages", condition="{row}.status = 'held'"),),
    )

    class Meta:
        db_table = "message_threads"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="message_threads_storage"),
            one_of("direction", Direction, name="message_threads_direction_valid"),
            one_of("status", MessageStatus, name="message_threads_status_valid"),
            models.CheckConstraint(
                condition=Q(kind="") | Q(kind__in=MessageKind.values, direction=Direction.OUTGOING),
                name="message_threads_kind_valid",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=OUTBOX_STATUSES) | Q(run_at__isnull=False),
                name="message_threads_on_its_way_has_time",
            ),
            models.CheckConstraint(
                condition=Q(kind=MessageKind.SCHEDULED, send_at__isnull=False)
                | (~Q(kind=MessageKind.SCHEDULED) & Q(send_at__isnull=True, hold_if_reply=False)),
                name="message_threads_scheduled_has_send_at",
                violation_error_message="Only a scheduled message has these.",
            ),
            in_range("created_at", name="message_threads_created_at_in_range"),
        ]
        indexes = [
            Index(
                fields=["contact", "created_at"],
                name="ix_message_threads_contact_card_id_created_at",
                question="What are the messages with this contact, in order, from any page on?",
                asked_by="GET /api/v1/message-threads/{contact_card_id}",
            ),
            Index(
                fields=["run_at"],
                condition=Q(status__in=OUTCOME_UNKNOWN),
                name="ix_message_threads_run_at",
                question="Which messages with an unknown outcome are due for a lookup, over all companies?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["phone_line", "priority", "run_at", "id"],
                condition=Q(status=MessageStatus.QUEUED),
                name="ix_message_threads_phone_line_id_priority_run_at_id_queued",
                question="Which lines have queued messages, and which does a line send next?",
                asked_by="manage.py work",
            ),
            Index(
                fields=["contact"],
                condition=Q(direction=Direction.INCOMING, read_at__isnull=True),
                name="ix_message_threads_contact_card_id_unread",
                question="How many messages of these contacts are unread?",
                asked_by="GET /api/v1/conversations; POST /api/v1/message-threads/{contact_card_id}/read",
                kept_because="few messages of a long conversation are unread: the others needn't be read.",
            ),
            Index(
                fields=["contact"],
                condition=Q(status=MessageStatus.QUEUED, hold_if_reply=True),
                name="ix_message_threads_contact_card_id_hold_if_reply",
                question="Which queued messages does a reply of this contact hold back?",
                asked_by="manage.py work",
                kept_because="each incoming message asks, and hardly any message waits: else it would read the thread.",
            ),
            Index(
                fields=["company"],
                condition=Q(status=MessageStatus.HELD),
                name="ix_message_threads_company_id_held",
                question="Which of a company's messages are held until a person decides?",
                asked_by="GET /api/v1/notices",
            ),
            Index(
                fields=["created_at"],
                condition=Q(status__in=LOST),
                name="ix_message_threads_created_at_lost",
                question="Which messages were not sent or not delivered lately, over all companies?",
                asked_by="admin: first page; messages that were not delivered",
            ),
            Index(
                fields=["membership"],
                condition=Q(membership__isnull=False),
                name="ix_message_threads_membership_id",
                question="Which message was sent for this campaign membership?",
                asked_by="deleting a membership; a campaign's results",
            ),
        ]

    def __str__(self) -> str:
        return f"Message #{self.pk}"

    @property
    def left_at(self) -> datetime:
        """Return the time of the last send attempt; of a message that others sent, its own time."""
        return self.sent_at or self.created_at

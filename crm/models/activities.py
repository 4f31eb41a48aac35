"""Conversations and activities of contacts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from crm.choices import ActivityType, ConversationStatus, Direction
from crm.constraints import in_range, one_of
from crm.db.audit import Audit
from crm.db.change_feed import Feed
from crm.db.indexes import Index
from crm.db.storage import BUSY_TABLE, StorageSettings
from crm.db.tenancy import TenantManager, TenantModel
from crm.models.companies import PhoneLine, User
from crm.models.contacts import Contact
from crm.querysets import ActivityQuerySet, ConversationQuerySet


class Conversation(TenantModel):
    """Everything between one contact and one phone line."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="conversations", db_index=False)
    phone_line = models.ForeignKey(
        PhoneLine, on_delete=models.PROTECT, related_name="+", db_column="phone_number_id", db_index=False
    )
    assignee = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    status = models.CharField(max_length=10, choices=ConversationStatus.choices, default=ConversationStatus.OPEN)
    snoozed_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Time at which a snoozed conversation waits again. Empty: when the contact writes.",
    )

    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)
    last_activity_at = models.DateTimeField(default=now)

    objects: ClassVar = TenantManager.from_queryset(ConversationQuerySet)()
    feed = Feed("conversations", contact="contact_id")

    class Meta:
        db_table = "conversations"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="conversations_storage"),
            one_of("status", ConversationStatus, name="conversations_status_valid"),
            models.CheckConstraint(
                condition=Q(status=ConversationStatus.SNOOZED) | Q(snoozed_until__isnull=True),
                name="conversations_snoozed_until_only_if_snoozed",
                violation_error_message="Only a snoozed conversation has a time to wait again.",
            ),
            models.UniqueConstraint(
                fields=["contact", "phone_line"],
                name="conversations_contact_id_phone_number_id_unique",
                violation_error_message="This contact and phone line already have a conversation.",
            ),
        ]
        indexes = [
            Index(
                fields=["phone_line"],
                name="idx_conversation_phone_number_id",
                question="Which conversations use this phone line?",
                asked_by="GET /api/v1/conversations?phone_line=",
            ),
            Index(
                fields=["contact"],
                name="idx_conversation_contact",
                question="Which conversations does this contact have?",
                asked_by="GET /api/v1/conversations?contact=",
                kept_because="monitoring and run books name it; the unique key on contact and phone line covers it.",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_conversations_company_id_created_at",
                question="A company's conversations, newest first, from any page on?",
                asked_by="GET /api/v1/conversations",
            ),
            Index(
                fields=["company", "last_activity_at"],
                name="ix_conversations_company_id_last_activity_at",
                question="Which conversations have the latest activity?",
                asked_by="GET /api/v1/conversations?order=recent",
            ),
            Index(
                fields=["company", "status", "last_activity_at"],
                name="ix_conversations_company_id_status_last_activity_at",
                question="Which conversations wait for a reply, latest first?",
                asked_by="GET /api/v1/conversations?status=&order=recent",
            ),
            Index(
                fields=["assignee", "last_activity_at"],
                condition=Q(assignee__isnull=False),
                name="ix_conversations_assignee_id_last_activity_at",
                question="Which conversations has this user, latest first?",
                asked_by="GET /api/v1/conversations?assignee=me&order=recent",
            ),
            Index(
                fields=["last_activity_at"],
                name="ix_conversations_last_activity_at",
                question="Which conversations have the latest activity, over all companies?",
                asked_by="admin: conversations",
            ),
            Index(
                fields=["last_activity_at"],
                condition=Q(status=ConversationStatus.WAITING),
                name="ix_conversations_last_activity_at_waiting",
                question="Which conversations wait for a reply, over all companies, latest first?",
                asked_by="admin: conversations that wait",
                kept_because="few conversations wait: by all activities the inbox would read the closed ones, too.",
            ),
            Index(
                fields=["last_activity_at"],
                condition=Q(assignee__isnull=True, status__in=[ConversationStatus.OPEN, ConversationStatus.WAITING]),
                name="ix_conversations_last_activity_at_unassigned",
                question="Which conversations that aren't closed have no assignee, over all companies, latest first?",
                asked_by="admin: unassigned conversations",
                kept_because="most conversations are closed: by all activities the inbox would read them, too.",
            ),
            Index(
                fields=["snoozed_until"],
                condition=Q(snoozed_until__isnull=False),
                name="ix_conversations_snoozed_until",
                question="Which snoozed conversations are due to wait again, over all companies?",
                asked_by="manage.py work",
            ),
        ]

    def __str__(self) -> str:
        return f"Conversation #{self.pk}"


class Activity(TenantModel):
    """A message, call, voicemail, note or email. It is evidence, so users can't change it, except for notes.

    The activity of a caller without a number ("Anonymous") has no contact and no conversation.
    """

    openphone_id = models.CharField(
        max_length=100,
        null=True,
        blank=True,
        help_text="The provider's ID, of any provider.",
        verbose_name="OpenPhone ID",
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, null=True, blank=True, related_name="activities", db_index=False
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, null=True, blank=True, related_name="activities", db_index=False
    )
    user = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="The user who wrote or called.",
    )

    activity_type = models.CharField(max_length=20, choices=ActivityType.choices)
    direction = models.CharField(max_length=10, choices=Direction.choices, blank=True, help_text="Empty for notes.")
    body = models.TextField(blank=True)

    created_at = models.DateTimeField(default=now, help_text="Time of the event, as reported by the provider.")
    updated_at = models.DateTimeField(default=now, db_default=Now(), editable=False)

    objects: ClassVar = TenantManager.from_queryset(ActivityQuerySet)()
    audit = Audit(
        skips=("updated_at",),
        only="{row}.activity_type = 'note'",
        keeps=("contact_id",),
        moves_to="archived_chunks",
    )
    feed = Feed(
        "activities", contact="CASE WHEN {row}.activity_type NOT IN ('call', 'voicemail') THEN {row}.contact_id END"
    )

    class Meta:
        db_table = "activities"
        verbose_name_plural = "activities"
        constraints = [
            StorageSettings(parameters=BUSY_TABLE, name="activities_storage"),
            one_of("activity_type", ActivityType, name="activities_activity_type_valid"),
            models.CheckConstraint(
                condition=Q(direction__in=Direction.values) | Q(direction="", activity_type="note"),
                name="activities_direction_valid",
                violation_error_message="Only a note can be without a direction.",
            ),
            in_range("created_at", name="activities_created_at_in_range"),
            # A provider's event creates one activity, even if it arrives repeatedly and in several workers.
            models.UniqueConstraint(
                fields=["company", "openphone_id"], name="activities_company_id_openphone_id_unique"
            ),
        ]
        indexes = [
            Index(
                fields=["openphone_id"],
                condition=Q(openphone_id__isnull=False),
                name="idx_activity_openphone_id",
                question="Which activity has this provider ID, in any company?",
                asked_by="admin search; matching a webhook event",
            ),
            Index(
                fields=["conversation", "created_at"],
                name="idx_activity_conversation_created",
                question="What was said in this conversation, in order?",
                asked_by="GET /api/v1/activities?conversation=; GET /api/v1/conversations",
            ),
            Index(
                fields=["activity_type", "created_at"],
                name="idx_activity_type_created",
                question="The newest activities of one type, over all companies?",
                asked_by="admin: activities filtered by type",
            ),
            Index(
                fields=["user", "created_at"],
                name="idx_activity_user",
                question="What did this user do, newest first?",
                asked_by="GET /api/v1/activities?user=",
            ),
            Index(
                fields=["contact", "created_at"],
                name="idx_activity_contact",
                question="What happened with this contact, newest first?",
                asked_by="GET /api/v1/activities?contact=",
            ),
            Index(
                fields=["company", "created_at"],
                name="ix_activities_company_id_created_at",
                question="A company's activities, newest first, from any page on?",
                asked_by="GET /api/v1/activities",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_activity_type_display()} #{self.pk}"

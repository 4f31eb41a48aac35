"""`conversations` and `activities`."""

from typing import Any

from django.db.models import Count
from django.db.models.functions import Left
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from crm.api.base.companions import Companion
from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, RowFilter, YesNoFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import AssignableUserField, TenantSerializer
from crm.api.base.views import ChangeMixin, FullViewSet, ReadViewSet
from crm.api.companions import ContactSummaryField, PhoneLineNameField, UserNameField
from crm.choices import ActivityType, ConversationStatus, Direction
from crm.error_codes import ErrorCode
from crm.models import Activity, Conversation, User
from crm.query_slots import messages_of_activities, unread_messages
from crm.services.inbox import check_snoozed_until
from crm.services.notes import add_note, change_note, delete_note

PREVIEW = 160  # characters of a message: as many as a short SMS has


@extend_schema_field({"$ref": "#/components/schemas/MessageStatus"})
class MessageStatusField(serializers.CharField):
    """The status of a message: one of the choices of a higher app."""


class LastMessageSerializer(serializers.Serializer):
    """The latest message of a conversation, in or out."""

    id = serializers.IntegerField()
    body = serializers.CharField(max_length=PREVIEW, help_text=f"The first {PREVIEW} characters.")
    direction = serializers.ChoiceField(choices=Direction.choices)
    status = MessageStatusField(help_text="As in `message-threads`.")
    at = serializers.DateTimeField(help_text="Time of writing or receipt.")


@extend_schema_field(LastMessageSerializer)
class LastMessageField(Companion):
    """The latest message of a conversation. Null before the first one."""

    def __init__(self) -> None:
        super().__init__("id", help_text="The latest message, in or out. Null before the first one.")

    def load(self, keys: set[int], user: User) -> dict[int, dict[str, Any]]:
        conversations: Any = Conversation.objects.filter(pk__in=keys)
        latest = dict(conversations.with_latest_message().values_list("latest_message", "pk"))
        # A statement of its own: joined with the first one, the planner would read all messages of the company.
        shown = messages_of_activities([pk for pk in latest if pk]).annotate(preview=Left("body", PREVIEW))
        return {
            latest[activity]: {"id": pk, "body": body, "direction": direction, "status": status, "at": at}
            for activity, pk, body, direction, status, at in shown.values_list(
                "activity", "pk", "preview", "direction", "status", "created_at"
            )
        }


@extend_schema_field(int)
class UnreadField(Companion):
    """The number of unread messages of a conversation."""

    missing = 0

    def __init__(self) -> None:
        super().__init__("contact", help_text="Number of incoming messages that no user has read.")

    def key_of(self, row: dict[str, Any]) -> tuple[int, int]:
        return row["contact"], row["phone_line"]

    def load(self, keys: set[tuple[int, int]], user: User) -> dict[tuple[int, int], int]:
        unread = unread_messages().filter(contact__in={contact for contact, _ in keys})
        counts = unread.values_list("contact", "phone_line").annotate(Count("pk")).order_by()
        return {(contact, line): number for contact, line, number in counts}


class ConversationSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    phone_line_name = PhoneLineNameField()
    assignee = AssignableUserField(required=False, allow_null=True)
    assignee_name = UserNameField("assignee")
    last_message = LastMessageField()
    unread = UnreadField()

    class Meta:
        model = Conversation
        fields = [
            "id", "contact", "contact_summary", "phone_line", "phone_line_name", "status", "snoozed_until", "assignee",
            "assignee_name", "last_message", "unread", "created_at", "updated_at", "last_activity_at",
        ]  # fmt: skip
        read_only_fields = ["contact", "phone_line", "created_at", "updated_at", "last_activity_at"]
        extra_kwargs = {
            "last_activity_at": {"help_text": "Time of the latest activity."},
            "snoozed_until": {
                "help_text": "Time at which a `snoozed` conversation is `waiting` again, at most 366 days ahead. Null: "
                "when the contact writes or calls, which ends any snooze."
            },
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("status", ConversationStatus.SNOOZED) != ConversationStatus.SNOOZED:
            attrs = {"snoozed_until": None, **attrs}  # another status ends the snooze
        elif attrs.get("snoozed_until"):
            check_snoozed_until(attrs["snoozed_until"])
        return super().validate(attrs)


class ConversationFilterSet(ContactFilterSet):
    day_field = "last_activity_at"
    phone_line = RowFilter(field_name="phone_line")
    assignee = RowFilter(field_name="assignee", me=True, none=True)
    status = ChoicesFilter(choices=ConversationStatus.choices)
    unread = YesNoFilter(method="by_unread", label="Whether it has unread messages.")

    def by_unread(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.unread() if value else queryset.read()


class ConversationViewSet(ChangeMixin, ReadViewSet):
    """Conversations between a contact and a phone line. Webhook events create them; users set assignee and status.

    The inbox has the order `recent`: the latest activity first. `{"status": "snoozed", "snoozed_until": …}` snoozes a
    conversation: it leaves the filters by `open` and `waiting`, and is `waiting` again at that time, or as soon as the
    contact writes or calls.
    """

    resource = "conversations"
    model = Conversation
    serializer_class = ConversationSerializer
    refusals = {"partial_update": (ErrorCode.OUT_OF_RANGE,)}
    filterset_class = ConversationFilterSet
    orders = orders_by(recent=("-last_activity_at", "-id"), waiting=("last_activity_at", "id"))


class ActivitySerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    user_name = UserNameField("user")

    class Meta:
        model = Activity
        fields = [
            "id", "contact", "contact_summary", "conversation", "user", "user_name", "activity_type", "direction",
            "body", "openphone_id", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = [
            "user",
            "activity_type",
            "direction",
            "openphone_id",
            "created_at",
            "updated_at",
        ]
        fixed_fields = ["contact", "conversation"]
        extra_kwargs = {
            "contact": {"required": True, "allow_null": False},
            "conversation": {"help_text": "ID of the contact's conversation that it belongs to. Null: of none."},
        }

    body = serializers.CharField(max_length=10_000)

    def update(self, instance: Activity, validated_data: dict[str, Any]) -> Activity:
        user = self.context["request"].user
        return change_note(note=instance, body=validated_data.get("body", instance.body), user=user)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        conversation = None if self.instance else attrs.get("conversation")
        if conversation and conversation.contact_id != attrs["contact"].pk:  # the same answer as of a hidden one
            detail = f"There is no row with the ID {conversation.pk}, or you may not use it. Choose another one."
            raise invalid("conversation", detail, code=ErrorCode.DOES_NOT_EXIST)
        return super().validate(attrs)

    def prepare(self, row: Activity) -> None:
        row.activity_type = ActivityType.NOTE


class ActivityFilterSet(ContactFilterSet):
    conversation = RowFilter(field_name="conversation")
    user = RowFilter(field_name="user", me=True, none=True)
    activity_type = ChoicesFilter(choices=ActivityType.choices)


@extend_schema_view(
    create=extend_schema(summary="Add a note"),
    partial_update=extend_schema(summary="Change a note"),
    destroy=extend_schema(summary="Delete a note"),
)
class ActivityViewSet(FullViewSet):
    """Contacts' activities. A POST adds a note; all others come from webhook events and can't be changed (409).

    A note stays in the company: it is no message. With `conversation` it belongs to that conversation. `@username` in
    its text leaves the colleague a task that is due at once. Only its author may change a note, and only its author or
    a manager may delete it (403, `not_yours`).
    """

    resource = "activities"
    model = Activity
    serializer_class = ActivitySerializer
    refusals = dict.fromkeys(["partial_update", "destroy"], (ErrorCode.NOT_A_NOTE, ErrorCode.NOT_YOURS))
    filterset_class = ActivityFilterSet

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.instance = add_note(user=self.user, **serializer.validated_data)

    def perform_destroy(self, instance: Activity) -> None:
        delete_note(note=instance, user=self.user)

"""`conversations` and `activities`."""

from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from crm.api.base.filters import ContactFilterSet, IdFilter, YesNoFilter, read_order
from crm.api.base.serializers import AssignableUserField, TenantSerializer
from crm.api.base.views import ChangeMixin, CreateReadViewSet, ReadViewSet
from crm.choices import ActivityType, ConversationStatus
from crm.models import Activity, Conversation

ORDERS = {"newest": ("-created_at", "-id"), "recent": ("-last_activity_at", "-id")}


class ConversationSerializer(TenantSerializer):
    assignee = AssignableUserField(required=False, allow_null=True)
    unread = serializers.IntegerField(read_only=True, help_text="Unread incoming messages.")

    class Meta:
        model = Conversation
        fields = ["id", "contact", "phone_line", "status", "assignee", "unread", "created_at", "last_activity_at"]
        read_only_fields = ["contact", "phone_line", "created_at", "last_activity_at"]


class ConversationFilterSet(ContactFilterSet):
    phone_line = IdFilter(field_name="phone_line_id")
    assignee = IdFilter(field_name="assignee_id")
    status = django_filters.ChoiceFilter(choices=ConversationStatus.choices)
    unread = YesNoFilter(method="by_unread", label="Whether it has unread messages.")

    def by_unread(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.unread() if value else queryset.read()


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter(
                "order",
                str,
                enum=list(ORDERS),
                description="By start (`newest`, the default) or by last activity (`recent`: the inbox), latest first.",
            )
        ]
    )
)
class ConversationViewSet(ChangeMixin, ReadViewSet):
    """Conversations between a contact and a phone line. Webhook events create them; users set assignee and status."""

    resource = "conversations"
    model = Conversation
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilterSet

    def get_rows(self) -> Any:
        return super().get_rows().with_unread()

    def get_ordering(self) -> tuple[str, str]:
        return read_order(self.request, ORDERS)

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | ({"order"} if self.action == "list" else set())


class ActivitySerializer(TenantSerializer):
    class Meta:
        model = Activity
        fields = [
            "id", "contact", "conversation", "user", "activity_type", "direction", "body", "openphone_id", "created_at",
        ]  # fmt: skip
        read_only_fields = ["conversation", "user", "activity_type", "direction", "openphone_id", "created_at"]
        extra_kwargs = {"contact": {"required": True, "allow_null": False}}

    body = serializers.CharField(max_length=10_000)

    def prepare(self, row: Activity) -> None:
        row.activity_type = ActivityType.NOTE


class ActivityFilterSet(ContactFilterSet):
    conversation = IdFilter(field_name="conversation_id")
    user = IdFilter(field_name="user_id")
    activity_type = django_filters.ChoiceFilter(choices=ActivityType.choices)


class ActivityViewSet(CreateReadViewSet):
    """Contacts' activities. A POST adds a note; all others come from webhook events and can't be changed."""

    resource = "activities"
    model = Activity
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilterSet

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, user=self.user, activity_type=ActivityType.NOTE)

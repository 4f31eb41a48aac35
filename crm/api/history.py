"""`conversations` and `activities`: what happened with contacts."""

import django_filters
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from crm.api.filters import ContactFilterSet, IdFilter
from crm.api.serializers import TenantSerializer
from crm.api.views import CreateReadViewSet, ReadViewSet
from crm.choices import ActivityType
from crm.models import Activity, Conversation


class ConversationSerializer(TenantSerializer):
    class Meta:
        model = Conversation
        fields = ["id", "contact", "phone_line", "created_at", "last_activity_at"]


class ConversationFilterSet(ContactFilterSet):
    phone_line = IdFilter(field_name="phone_line_id")


class ConversationViewSet(ReadViewSet):
    """Everything between one contact and one line. Deliveries make them."""

    resource = "conversations"
    model = Conversation
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilterSet


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
    """Contacts' history. A POST adds a note by the user; all else comes from deliveries, and nothing is changed."""

    resource = "activities"
    model = Activity
    serializer_class = ActivitySerializer
    filterset_class = ActivityFilterSet

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, user=self.user, activity_type=ActivityType.NOTE)

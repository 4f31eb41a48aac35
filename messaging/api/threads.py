"""`message-threads/{contact_card_id}`: the texts with one contact."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin

from crm.api.roles import visible
from crm.api.serializers import TenantSerializer
from crm.api.views import TenantViewSet
from crm.models import Contact
from messaging.models import Message

ORDERS = {"oldest": ("created_at", "id"), "newest": ("-created_at", "-id")}


class MessageSerializer(TenantSerializer):
    class Meta:
        model = Message
        fields = [
            "id", "contact", "phone_line", "direction", "from_number", "to_numbers", "body", "media", "status",
            "created_at",
        ]  # fmt: skip


@extend_schema_view(
    list=extend_schema(
        operation_id="message_threads_list",
        parameters=[
            OpenApiParameter("contact_card_id", OpenApiTypes.INT64, OpenApiParameter.PATH),
            OpenApiParameter("order", str, enum=list(ORDERS), description="Default: oldest first."),
        ],
    )
)
class MessageThreadViewSet(TenantViewSet, ListModelMixin):
    """The texts with one contact, oldest first; `order=newest` begins with the latest."""

    resource = "message-threads"
    model = Message
    serializer_class = MessageSerializer

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | {"order"}

    def get_ordering(self) -> tuple[str, str]:
        order = self.request.query_params.get("order", "oldest")
        if order not in ORDERS:
            raise ValidationError({"order": [f"Must be one of: {', '.join(ORDERS)}."]})
        return ORDERS[order]

    def get_rows(self) -> Any:
        contacts = visible(Contact.objects.all(), self.user, "contacts")
        contact = get_object_or_404(contacts, pk=self.kwargs["contact_card_id"])
        return super().get_rows().filter(contact=contact)

"""`message-threads/{contact_card_id}`: the texts with one contact."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import Conflict
from crm.api.base.filters import read_order
from crm.api.base.idempotency import idempotent
from crm.api.base.lists import ListRowsMixin
from crm.api.base.roles import visible
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import TenantViewSet
from crm.models import Contact
from messaging.models import Message
from messaging.services.outbound.outbox import SendBlocked
from messaging.services.threads import LineRequired, mark_thread_read, queue_reply

ORDERS = {"oldest": ("created_at", "id"), "newest": ("-created_at", "-id")}
MAX_CHARACTERS = 1600  # of a text, as providers take it
CONTACT = OpenApiParameter("contact_card_id", OpenApiTypes.INT64, OpenApiParameter.PATH)


class NotSent(Conflict):
    """A text may not go: why, and when it may, where waiting helps."""

    def __init__(self, refusal: SendBlocked) -> None:
        super().__init__(str(refusal))
        self.detail: Any = {"detail": str(refusal), "retry_at": refusal.retry_at}


class MessageSerializer(TenantSerializer):
    user = CompanyUserField(source="activity.user", read_only=True, allow_null=True, help_text="Who of us wrote it.")

    class Meta:
        model = Message
        fields = [
            "id", "contact", "phone_line", "user", "direction", "kind", "from_number", "to_numbers", "body", "media",
            "status", "error", "error_code", "created_at", "read_at",
        ]  # fmt: skip
        read_only_fields = fields


class ReplySerializer(TenantSerializer):
    body = serializers.CharField(min_length=1, max_length=MAX_CHARACTERS)

    class Meta:
        model = Message
        fields = ["body", "phone_line"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs  # the service makes the row, and with it all that its constraints ask for


class ReadSerializer(serializers.Serializer):
    read = serializers.IntegerField(help_text="How many texts had not been read yet.")


@extend_schema_view(
    list=extend_schema(
        operation_id="message_threads_list",
        parameters=[
            CONTACT,
            OpenApiParameter("order", str, enum=list(ORDERS), description="Default: oldest first."),
        ],
    )
)
class MessageThreadViewSet(ListRowsMixin, TenantViewSet):
    """The texts with one contact, oldest first; `order=newest` begins with the latest."""

    resource = "message-threads"
    model = Message
    serializer_class = MessageSerializer

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | ({"order"} if self.action == "list" else set())

    def get_ordering(self) -> tuple[str, str]:
        return read_order(self.request, ORDERS)

    def get_contact(self) -> Contact:
        contacts = visible(Contact.objects.all(), self.user, "contacts")
        return get_object_or_404(contacts, pk=self.kwargs["contact_card_id"])

    def get_rows(self) -> Any:
        return super().get_rows().filter(contact=self.get_contact())

    @extend_schema(
        operation_id="message_threads_create",
        parameters=[CONTACT],
        request=ReplySerializer,
        responses={202: MessageSerializer},
    )
    @idempotent
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Send a reply. It is taken into the queue (202), or refused with the reason and the time when it may go, if
        there is one (409). Without `phone_line` it goes over the line that the contact spoke over last."""
        contact = self.get_contact()
        reply = ReplySerializer(data=request.data, context=self.get_serializer_context())
        reply.is_valid(raise_exception=True)
        said = reply.validated_data
        try:
            message = queue_reply(
                contact=contact, body=said["body"], user=self.user, line=said.get("phone_line")
            )  # fmt: skip
        except LineRequired as error:
            raise serializers.ValidationError({"phone_line": [str(error)]}) from error
        except SendBlocked as refusal:
            raise NotSent(refusal) from refusal
        return Response(self.get_serializer(message).data, status.HTTP_202_ACCEPTED)

    @extend_schema(
        operation_id="message_threads_read", parameters=[CONTACT], request=None, responses=ReadSerializer
    )  # fmt: skip
    def read(self, request: Request, **kwargs: Any) -> Response:
        """Mark all that the contact texted as read."""
        return Response({"read": mark_thread_read(contact=self.get_contact())})

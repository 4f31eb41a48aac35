"""`message-threads/{contact_card_id}`: the messages with one contact."""

from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ListFilterSet, RowFilter
from crm.api.base.list_views import ListRowsMixin
from crm.api.base.roles import visible
from crm.api.base.serializers import BodySerializer, CompanyUserField, InstantField, TenantSerializer
from crm.api.base.views import TenantViewSet, without_body
from crm.api.companions import ContactSummaryField, PhoneLineNameField, UserNameField
from crm.choices import Direction
from crm.error_codes import ErrorCode
from crm.models import Contact
from messaging.api.message_files import MessageFilesField
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.services.outbound.message_files import MAX_FILES
from messaging.services.replies import mark_thread_read, mark_thread_unread, queue_reply

MEDIA = "Its files at the provider, whose links may expire: see `attachments`."
MAX_CHARACTERS = 1600  # of a message: the providers' limit
SEND_AT = "Time to send it, at most 366 days ahead. Quiet hours, opt-outs and pauses are decided then."
SEND_AT_SHOWN = "Time that a user has chosen for sending. Null: at once."
HOLD_IF_REPLY = "Whether a message from the contact that arrives before it leaves holds it back."

REPLY_CODES = (
    ErrorCode.REQUIRED,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.OUT_OF_RANGE,
    ErrorCode.OPTED_OUT,
    ErrorCode.UNDER_REVIEW,
    ErrorCode.DO_NOT_CONTACT,
    ErrorCode.FLAGGED_NUMBER,
    ErrorCode.UNREACHABLE_NUMBER,
    ErrorCode.NUMBER_CHANGED,
    ErrorCode.NUMBER_OF_LINE,
    ErrorCode.LINE_WITHOUT_NUMBER,
    ErrorCode.LINE_PAUSED,
    ErrorCode.DAILY_CAP,
    ErrorCode.MESSAGE_EMPTY,
    ErrorCode.NO_OPEN_HOUR,
    ErrorCode.MEDIA_UNSUPPORTED,
    ErrorCode.DOES_NOT_EXIST,
)


class MediaSerializer(BodySerializer):
    """A file of a message at the provider."""

    url = serializers.URLField(help_text="Where the provider keeps the file.")
    type = serializers.CharField(help_text="Media type, such as image/jpeg. Empty if it is unknown.")


@extend_schema_field(MediaSerializer(many=True))
class MediaField(serializers.JSONField):
    """The files of a message at the provider."""


class MessageSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    phone_line_name = PhoneLineNameField()
    to_numbers = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="All recipients; several in a group message."
    )
    media = MediaField(read_only=True, help_text=MEDIA)
    attachments = MessageFilesField()
    user_name = UserNameField("user", help_text="Name of the user who wrote the message. Users who have left keep it.")
    user = CompanyUserField(
        source="activity.user", read_only=True, allow_null=True, help_text="User who wrote the message."
    )

    class Meta:
        model = Message
        fields = [
            "id", "contact", "contact_summary", "phone_line", "phone_line_name", "user", "user_name", "direction",
            "kind", "from_number", "to_numbers", "body", "media", "attachments", "status",
            "error", "error_code", "send_at", "hold_if_reply", "created_at", "updated_at", "sent_at", "read_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"send_at": {"help_text": SEND_AT_SHOWN}, "hold_if_reply": {"help_text": HOLD_IF_REPLY}}


class MessageFilterSet(ListFilterSet):
    status = ChoicesFilter(choices=MessageStatus.choices)
    direction = ChoicesFilter(choices=Direction.choices)
    phone_line = RowFilter(field_name="phone_line")


class ReplySerializer(TenantSerializer):
    body = serializers.CharField(min_length=1, max_length=MAX_CHARACTERS)
    send_at = InstantField(required=False, help_text=SEND_AT)
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), required=False, max_length=MAX_FILES,
        help_text="IDs of uploads (`POST attachments`) that are sent with it, 5 MiB in all.",
    )  # fmt: skip

    class Meta:
        model = Message
        fields = ["body", "phone_line", "send_at", "hold_if_reply", "attachments"]
        extra_kwargs = {"hold_if_reply": {"help_text": f"{HOLD_IF_REPLY} With `send_at` only."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # The service creates the row with all required fields.
        if attrs.get("hold_if_reply") and "send_at" not in attrs:
            raise invalid(
                "hold_if_reply", "A reply can hold back only what has a `send_at`.", code=ErrorCode.NOT_ALLOWED
            )
        return attrs


class ReadSerializer(serializers.Serializer):
    read = serializers.IntegerField(help_text="Number of messages marked as read.")


class UnreadSerializer(serializers.Serializer):
    unread = serializers.IntegerField(help_text="Number of messages marked as unread: 1, or 0 if there is none.")


@extend_schema_view(
    list=extend_schema(
        summary="List the messages with a contact",
    )
)
class MessageThreadViewSet(ListRowsMixin, TenantViewSet):
    """Messages with one contact, oldest first. `order=newest` starts with the latest."""

    resource = "message-threads"
    model = Message
    serializer_class = MessageSerializer
    refusals = {"create": REPLY_CODES}
    filterset_class = MessageFilterSet
    orders: ClassVar = {"oldest": ("created_at", "id"), "newest": ("-created_at", "-id")}

    def get_contact(self) -> Contact:
        contacts = visible(Contact.objects.all(), self.user, "contacts")
        return get_object_or_404(contacts, pk=self.kwargs["contact_card_id"])

    def columns_of_url(self) -> dict[str, int]:
        return {"contact": self.find_contact()}

    @extend_schema(
        summary="Reply",
        request=ReplySerializer,
        responses={202: MessageSerializer},
    )
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Queue a reply (202), or return why it is blocked (409), with `retry_at` if waiting helps.

        Without `phone_line`, the phone line of the contact's latest conversation is used. With `send_at` it leaves
        then: see `messages`.
        """
        contact = self.get_contact()
        reply = ReplySerializer(data=request.data, context=self.get_serializer_context())
        reply.is_valid(raise_exception=True)
        fields = reply.validated_data
        message = queue_reply(
            contact=contact,
            body=fields["body"],
            user=self.user,
            line=fields.get("phone_line"),
            send_at=fields.get("send_at"),
            hold_if_reply=fields.get("hold_if_reply", False),
            attachments=fields.get("attachments", ()),
        )
        return Response(self.get_serializer(message).data, status.HTTP_202_ACCEPTED)

    @extend_schema(
        request=None, responses=ReadSerializer
    )  # fmt: skip
    @without_body
    def read(self, request: Request, **kwargs: Any) -> Response:
        """Mark the contact's incoming messages as read."""
        return Response({"read": mark_thread_read(contact=self.get_contact())})

    @extend_schema(request=None, responses=UnreadSerializer)
    @without_body
    def unread(self, request: Request, **kwargs: Any) -> Response:
        """Mark the contact's latest incoming message as unread. The conversation is unread again."""
        return Response({"unread": mark_thread_unread(contact=self.get_contact())})

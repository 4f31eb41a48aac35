"""`messages/{id}`: one message, and changes of a scheduled one."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.serializers import InstantField
from crm.api.base.views import ChangeMixin, RetrieveMixin, TenantViewSet, without_body
from crm.error_codes import ErrorCode
from crm.models import Activity
from messaging.api.threads import MAX_CHARACTERS, SEND_AT, MessageSerializer
from messaging.models import Message
from messaging.services.scheduled import cancel_message, change_scheduled, send_anyway


class OneMessageSerializer(MessageSerializer):
    body = serializers.CharField(min_length=1, max_length=MAX_CHARACTERS)
    send_at = InstantField(help_text=SEND_AT)

    class Meta(MessageSerializer.Meta):
        read_only_fields = [name for name in MessageSerializer.Meta.fields if name not in ("body", "send_at")]

    def update(self, instance: Message, validated_data: dict[str, Any]) -> Message:
        change_scheduled(message=instance, **validated_data)
        return instance


@extend_schema_view(
    retrieve=extend_schema(summary="Read a message", responses=MessageSerializer),
    partial_update=extend_schema(summary="Change a scheduled message", responses=MessageSerializer),
)
class MessageViewSet(ChangeMixin, RetrieveMixin, TenantViewSet):
    """One message. While a scheduled one is `queued`, users change its `body` and `send_at`, or cancel it.

    A worker that has claimed it is faster: the change is a 409. At its time the send policy decides: an opt-out fails
    it, and quiet hours or a paused line postpone it.
    """

    resource = "messages"
    model = Message
    serializer_class = OneMessageSerializer
    refusals = {
        "partial_update": (ErrorCode.NOT_SCHEDULED, ErrorCode.OUT_OF_RANGE),
        "cancel": (ErrorCode.NOT_QUEUED,),
        "release": (ErrorCode.NOT_HELD,),
    }

    def lock_row(self) -> None:
        # Lock order: activity, message, as in sending and webhook processing.
        activity = Activity.objects.filter(message=self.kwargs["pk"])
        activity.select_for_update(no_key=True, of=("self",)).values_list("pk").first()
        super().lock_row()

    @extend_schema(request=None, responses=MessageSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Cancel a message that waits. It is `failed` then, with the `error_code` `cancelled`.

        A campaign's message, a reminder or another one that no user has written is a manager's to cancel.
        """
        message = self.get_object()
        cancel_message(message=message, user=self.user)
        return self.row_response(message.pk)

    @extend_schema(request=None, responses=MessageSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def release(self, request: Request, **kwargs: Any) -> Response:
        """Send a message that was held because the contact has replied (`error_code` `replied`)."""
        message = self.get_object()
        send_anyway(message=message)
        return self.row_response(message.pk)

"""`held-messages`: messages that wait for a manager's decision."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import CodedError
from crm.api.base.etags import tagged_response
from crm.api.base.filters import ContactFilterSet
from crm.api.base.views import ReadViewSet, without_body
from crm.error_codes import ErrorCode
from messaging.api.threads import MessageSerializer
from messaging.choices import MessageStatus
from messaging.models import Message
from messaging.services.outbound.holding import cancel_messages, release_messages


@extend_schema_view(
    list=extend_schema(summary="List held messages"), retrieve=extend_schema(summary="Read a held message")
)
class HeldMessageViewSet(ReadViewSet):
    """Messages that are too late to be sent without a person's decision, or that `hold_texts` holds."""

    resource = "held-messages"
    model = Message
    serializer_class = MessageSerializer
    refusals = dict.fromkeys(["release", "cancel"], (ErrorCode.NOT_HELD,))
    filterset_class = ContactFilterSet

    def get_rows(self) -> Any:
        return super().get_rows().filter(status=MessageStatus.HELD)

    @extend_schema(request=None, responses=MessageSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def release(self, request: Request, **kwargs: Any) -> Response:
        """Queue the message again. The send policy applies, so it may still be blocked."""
        return self._decide(release_messages)

    @extend_schema(request=None, responses=MessageSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Never send the message."""
        return self._decide(cancel_messages)

    def _decide(self, decide: Any) -> Response:
        message = self.get_object()
        if not decide(messages=Message.objects.filter(pk=message.pk)):
            raise CodedError(ErrorCode.NOT_HELD)
        message.refresh_from_db()  # it has left the list, where `row_response` looks
        return tagged_response(self.request, self.get_serializer(message).data)

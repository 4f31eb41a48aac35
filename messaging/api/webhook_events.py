"""`webhook-events`: stored webhook events, for managers only."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import CodedError
from crm.api.base.filters import ChoicesFilter, ListFilterSet, YesNoFilter
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import ReadViewSet, without_body
from crm.choices import Provider
from crm.error_codes import ErrorCode
from messaging.choices import EventStatus
from messaging.models import WebhookEvent
from messaging.services.inbound.webhook_processing import reprocess_for_user


class WebhookEventSerializer(TenantSerializer):
    class Meta:
        model = WebhookEvent
        fields = [
            "id", "provider", "event_id", "event_type", "status", "processed", "error", "tries",
            "created_at", "processed_at",
        ]  # fmt: skip
        extra_kwargs = {
            "event_type": {"help_text": "The provider's name for what happened."},
            "processed_at": {"help_text": "Time when processing ended. Null: it is pending."},
        }


class WebhookEventFilterSet(ListFilterSet):
    provider = ChoicesFilter(choices=Provider.choices)
    status = ChoicesFilter(choices=EventStatus.choices)
    processed = YesNoFilter()


class WebhookEventViewSet(ReadViewSet):
    """Webhook events from providers, with their processing status."""

    resource = "webhook-events"
    model = WebhookEvent
    serializer_class = WebhookEventSerializer
    refusals = {"replay": (ErrorCode.ALREADY_PENDING,)}
    filterset_class = WebhookEventFilterSet

    @extend_schema(request=None, responses={202: WebhookEventSerializer})
    @action(detail=True, methods=["post"])
    @without_body
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """Process a dead, ignored or processed event again. A pending event is a 409."""
        event = self.get_object()
        if not reprocess_for_user(pk=event.pk, status=event.status, user=self.user):
            raise CodedError(ErrorCode.ALREADY_PENDING)
        return self.row_response(event.pk, status=status.HTTP_202_ACCEPTED)

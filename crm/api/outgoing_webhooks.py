"""`outgoing-webhooks`: URLs that changes are sent to, and `outgoing-events`: what was sent. For managers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.filters import ChoicesFilter, ListFilterSet, RowFilter
from crm.api.base.serializers import CompanyUserField, OneOfField, TenantSerializer
from crm.api.base.views import FullViewSet, ReadViewSet, without_body
from crm.api.companions import UserNameField
from crm.choices import OutgoingStatus
from crm.db.change_feed import Feed
from crm.db.triggers import declared_triggers
from crm.error_codes import ErrorCode
from crm.models import OutgoingEvent, OutgoingWebhook
from crm.services.outgoing_webhooks.requests import (
    change_outgoing_webhook,
    create_outgoing_webhook,
    replay_event,
    rotate_secret,
)

OWN = "outgoing-webhooks"  # each attempt may change it


def sent_resources() -> list[str]:
    """Return the resources whose changes can be sent: those of `GET changes`."""
    names = set()
    for _, feed in declared_triggers(Feed):
        names |= {feed.resource, *(also.resource for also in feed.also)}
    return sorted(names - {OWN})


class OutgoingWebhookSerializer(TenantSerializer):
    url = serializers.CharField(max_length=500, help_text="Where changes are sent to: https, at a public address.")
    resources = serializers.ListField(
        child=OneOfField(choices=[(name, name) for name in sent_resources()]),
        min_length=1,
        help_text="Resources whose changes are sent, as in the URL below /api/v1/.",
    )
    created_by = CompanyUserField(read_only=True, allow_null=True, help_text="ID of the user who created it.")
    created_by_name = UserNameField("created_by")

    class Meta:
        model = OutgoingWebhook
        fields = [
            "id", "name", "url", "resources", "is_active", "disabled_reason", "failing_since", "old_secret_until",
            "api_token", "created_by", "created_by_name", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = [
            "api_token",
            "disabled_reason",
            "failing_since",
            "old_secret_until",
            "created_at",
            "updated_at",
        ]
        extra_kwargs = {
            "api_token": {"help_text": "ID of the API token that it belongs to, and ends with. Null: it is a user's."},
            "is_active": {"help_text": "Whether changes are sent. The one who switches it on answers for it."},
            "disabled_reason": {"help_text": "Why the product has switched it off. Empty: it has not."},
            "failing_since": {"help_text": "Time since which every attempt has failed. Null: the last succeeded."},
            "old_secret_until": {"help_text": "Time until which the former secret signs as well. Null: none does."},
        }

    def create(self, validated_data: dict[str, Any]) -> OutgoingWebhook:
        validated_data.pop("company_id", None)
        return create_outgoing_webhook(user=self.context["request"].user, **validated_data)

    def update(self, instance: OutgoingWebhook, validated_data: dict[str, Any]) -> OutgoingWebhook:
        return change_outgoing_webhook(webhook=instance, user=self.context["request"].user, **validated_data)


class SecretWebhookSerializer(OutgoingWebhookSerializer):
    """A webhook with its secret, which is shown once."""

    secret = serializers.CharField(read_only=True, help_text="Verify signatures with it. Never shown again.")

    class Meta(OutgoingWebhookSerializer.Meta):
        fields = [*OutgoingWebhookSerializer.Meta.fields, "secret"]


class OutgoingWebhookViewSet(FullViewSet):
    """Outgoing webhooks: changes are sent to a URL, signed by Standard Webhooks. See docs/outgoing-webhooks.md."""

    resource = "outgoing-webhooks"
    model = OutgoingWebhook
    serializer_class = OutgoingWebhookSerializer
    refusals = {
        "create": (ErrorCode.LIMIT_REACHED, ErrorCode.MIN_LENGTH),
        "partial_update": (ErrorCode.MIN_LENGTH,),
        "rotate_secret": (ErrorCode.NOT_YOURS,),
    }

    @property
    def gives_secret(self) -> bool:  # type: ignore[override]
        return self.action in ("create", "rotate_secret")

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and not self.gives_secret

    def get_rows(self) -> Any:
        return OutgoingWebhook.objects.defer("secret", "old_secret")  # one of a missing key can still be replaced

    @extend_schema(request=OutgoingWebhookSerializer, responses={201: SecretWebhookSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a webhook. It gets the changes from then on. The answer alone has its secret."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        webhook = serializer.save()
        return Response(
            {**self.row_response(webhook.pk).data, "secret": webhook.secret}, status=status.HTTP_201_CREATED
        )

    @extend_schema(request=None, responses=SecretWebhookSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    @without_body
    def rotate_secret(self, request: Request, **kwargs: Any) -> Response:
        """Get a new secret. For a day the former one signs as well, so that receivers can change it in peace.

        An API token gets that of its own webhooks alone.
        """
        webhook = self.get_locked_object()
        secret = rotate_secret(webhook=webhook, user=self.user)
        return Response({**self.row_response(webhook.pk).data, "secret": secret})


class OutgoingEventSerializer(TenantSerializer):
    class Meta:
        model = OutgoingEvent
        fields = [
            "id", "webhook", "event_id", "resource", "object_id", "change", "occurred_at", "status", "tries",
            "answer_status", "error", "run_at", "created_at", "sent_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "webhook": {"help_text": "ID of the outgoing webhook."},
            "event_id": {"help_text": "The header `webhook-id`: the same in each attempt."},
            "resource": {"help_text": "As in the URL below /api/v1/. Empty: all, of `resync`."},
            "object_id": {"help_text": "ID of the changed object. Null: all, of `resync`."},
            "change": {"help_text": "`updated`, `deleted`, or `resync`: changes may be missing, load your lists."},
            "occurred_at": {"help_text": "Time of the change."},
            "answer_status": {"help_text": "HTTP status of the last answer. Null: none."},
            "error": {"help_text": "Why the last attempt failed. Empty: it didn't."},
            "sent_at": {"help_text": "Time of the receiver's 2xx answer. Null: none."},
        }


class OutgoingEventFilterSet(ListFilterSet):
    webhook = RowFilter(field_name="webhook")
    status = ChoicesFilter(choices=OutgoingStatus.choices)


class OutgoingEventViewSet(ReadViewSet):
    """Outgoing events: changes that were sent, or will be. Dead ones have failed for three days."""

    resource = "outgoing-events"
    model = OutgoingEvent
    serializer_class = OutgoingEventSerializer
    filterset_class = OutgoingEventFilterSet
    refusals = {"replay": (ErrorCode.ALREADY_PENDING,)}

    @extend_schema(request=None, responses={202: OutgoingEventSerializer})
    @action(detail=True, methods=["post"])
    @without_body
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """Send a dead or sent event again, under the same ID. A pending one is a 409."""
        event = self.get_object()
        replay_event(event=event, user=self.user)
        return self.row_response(event.pk, status=status.HTTP_202_ACCEPTED)

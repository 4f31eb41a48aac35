"""`calendar-feeds`: secret URLs at which calendars read a user's appointments."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.errors import invalid
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, without_body
from crm.api.companions import UserNameField
from crm.choices import Role
from crm.error_codes import ErrorCode
from crm.models import CalendarFeed
from crm.services.calendar_feeds import create_calendar_feed, revoke_calendar_feed


class ActiveUserField(CompanyUserField):
    """A user of the company who may sign in."""

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(is_active=True)


class CalendarFeedSerializer(TenantSerializer):
    user = ActiveUserField(
        required=False, help_text="ID of the user whose appointments it has. Without it: you. Managers choose anybody."
    )
    user_name = UserNameField("user")
    created_by = CompanyUserField(read_only=True, help_text="ID of the user who created it.")
    created_by_name = UserNameField("created_by")

    class Meta:
        model = CalendarFeed
        fields = [
            "id", "user", "user_name", "beginning", "created_by", "created_by_name", "created_at", "revoked_at",
            "last_used_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["beginning", "created_at", "revoked_at", "last_used_at", "updated_at"]
        extra_kwargs = {
            "beginning": {"help_text": "First characters of the secret, after `<id>-` in the URL."},
            "revoked_at": {"help_text": "Time when it was revoked. Null: it is in force."},
            "last_used_at": {"help_text": "Time when a calendar last read it, to the minute. Null: never."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        me = self.context["request"].user
        if attrs.get("user", me) != me and me.role != Role.MANAGER:
            raise invalid("user", ErrorCode.FIELD_FORBIDDEN.detail, code=ErrorCode.FIELD_FORBIDDEN)
        return attrs  # the service creates the row with all required fields


class NewCalendarFeedSerializer(CalendarFeedSerializer):
    """A feed with its URL, which is shown once."""

    feed_url = serializers.URLField(
        read_only=True, help_text="Subscribe to it in a calendar. Whoever has it reads the feed. Never shown again."
    )

    class Meta(CalendarFeedSerializer.Meta):
        fields = [*CalendarFeedSerializer.Meta.fields, "feed_url"]


class CalendarFeedViewSet(CreateReadViewSet):
    """Calendar feeds: secret URLs, without a sign-in, at which calendars read the appointments of a user.

    A user has one. It ends when it is revoked, when the user gets a new one, and with every change of the user's
    access: another password or role, or a deactivation. From then on its URL is a 404. Users see and end their own;
    managers those of everybody. API tokens can't be used for feeds (403, `scope_missing`).
    """

    resource = "calendar-feeds"
    model = CalendarFeed
    serializer_class = CalendarFeedSerializer
    refusals = {"create": (ErrorCode.FIELD_FORBIDDEN,)}

    @property
    def gives_secret(self) -> bool:  # type: ignore[override]
        return self.action == "create"

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and not self.gives_secret

    @extend_schema(request=CalendarFeedSerializer, responses={201: NewCalendarFeedSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a feed, in the place of the user's former one. The answer alone has its URL."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = serializer.validated_data.get("user", self.user)
        row, token = create_calendar_feed(user=user, by=self.user)
        url = settings.PUBLIC_URL + reverse("calendar-feed", args=[token])
        return Response({**self.row_response(row.pk).data, "feed_url": url}, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=CalendarFeedSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        """End a feed at once. One that has ended stays as it is."""
        row = self.get_object()
        revoke_calendar_feed(feed=row)
        return self.row_response(row.pk)

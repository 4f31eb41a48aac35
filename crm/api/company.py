"""`company`: the user's own."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.roles import CHANGE
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import TenantView
from crm.models import Company
from crm.models.companies import MIN_RETENTION_DAYS


class CompanySettingsSerializer(TenantSerializer):
    missed_call_text = serializers.CharField(
        max_length=1600,
        allow_blank=True,
        required=False,
        help_text="Sent to who rang and was not answered; empty: nothing is sent.",
    )

    retention_days = serializers.IntegerField(
        min_value=MIN_RETENTION_DAYS,
        max_value=36500,
        allow_null=True,
        required=False,
        help_text="Closed calls, texts and deliveries that are older may leave for an archive; null: none does.",
    )

    class Meta:
        model = Company
        fields = ["id", "name", "slug", "timezone", "currency", "missed_call_text", "retention_days", "created_at"]
        # Providers were given URLs with the slug; staff move a company to another time zone, with its visits.
        read_only_fields = ["slug", "timezone", "currency", "created_at"]


class CompanyView(TenantView):
    """The company that the user works for."""

    resource = "company"

    @property
    def verb(self) -> str | None:
        return CHANGE if self.request.method == "PATCH" else super().verb

    @extend_schema(responses=CompanySettingsSerializer)
    def get(self, request: Request) -> Response:
        return Response(self._serializer().data)

    @extend_schema(request=CompanySettingsSerializer, responses=CompanySettingsSerializer)
    def patch(self, request: Request) -> Response:
        serializer = self._serializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)

    def _serializer(self, **said: Any) -> CompanySettingsSerializer:
        return CompanySettingsSerializer(self.user.company, context={"request": self.request, "view": self}, **said)

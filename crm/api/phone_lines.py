"""`phone-lines`."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.filters import ChoicesFilter, ListFilterSet
from crm.api.base.serializers import PhoneField, TenantSerializer
from crm.api.base.views import EditViewSet, without_body
from crm.choices import Provider
from crm.models import PhoneLine
from crm.services.companies import resume_line


class PhoneLineSerializer(TenantSerializer):
    number = PhoneField(required=False, help_text="The line's number, E.164. Any format is accepted.")

    class Meta:
        model = PhoneLine
        fields = [
            "id", "name", "number", "provider", "provider_id", "daily_cap", "paused_until", "paused_at",
            "pause_reason", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["paused_until", "paused_at", "pause_reason", "created_at", "updated_at"]
        extra_kwargs = {
            "daily_cap": {"max_value": 2**31 - 1},  # the column's maximum on PostgreSQL
            "pause_reason": {"help_text": "Why sending is paused. Empty: it isn't."},
        }


class PhoneLineFilterSet(ListFilterSet):
    provider = ChoicesFilter(choices=Provider.choices)


class PhoneLineViewSet(EditViewSet):
    """The company's phone lines."""

    resource = "phone-lines"
    model = PhoneLine
    serializer_class = PhoneLineSerializer
    filterset_class = PhoneLineFilterSet

    @extend_schema(request=None, responses=PhoneLineSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Resume sending over a line that its provider had suspended."""
        return self.row_response(resume_line(line=self.get_object(), user=self.user).pk)

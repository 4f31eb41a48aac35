"""`calls` and `dashboard/calls`."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view

from calls.choices import BOOKED, CallStatus
from calls.models import Call
from crm.api.base.filters import DaysFilterSet, IdFilter
from crm.api.base.lists import ListRowsMixin
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import EditViewSet, TenantViewSet

MAX_SECONDS = 2**31 - 1  # the column's maximum on PostgreSQL, enforced on every database


class CallSerializer(TenantSerializer):
    assigned_rep = CompanyUserField(required=False, allow_null=True)

    class Meta:
        model = Call
        fields = [
            "id", "contact", "phone_line", "lead", "assigned_rep", "direction", "from_number", "to_number",
            "status", "booked", "reason_for_lost_sale", "quoted_price", "recording_url", "voicemail_url",
            "created_at", "answered_at", "completed_at", "duration_s",
        ]  # fmt: skip
        read_only_fields = ["booked", "recording_url", "voicemail_url"]
        extra_kwargs = {"duration_s": {"max_value": MAX_SECONDS}}

    def prepare(self, row: Call) -> None:
        row.set_status(row.status)

    def create(self, validated_data: dict[str, Any]) -> Call:
        return super().create(validated_data | {"booked": validated_data.get("status") in BOOKED})

    def update(self, instance: Call, validated_data: dict[str, Any]) -> Call:
        if status := validated_data.get("status"):
            validated_data["booked"] = status in BOOKED
        return super().update(instance, validated_data)


class CallFilterSet(DaysFilterSet):
    assigned_rep = IdFilter(field_name="assigned_rep_id")
    status = django_filters.ChoiceFilter(choices=CallStatus.choices)


class CallRows(TenantViewSet):
    """Calls, newest first."""

    model = Call
    serializer_class = CallSerializer
    filterset_class = CallFilterSet


class CallViewSet(CallRows, EditViewSet):
    """Phone calls."""

    resource = "calls"


@extend_schema_view(list=extend_schema(operation_id="dashboard_calls_list"))
class DashboardCallsViewSet(ListRowsMixin, CallRows):
    """The dashboard's calls, newest first."""

    resource = "dashboard/calls"

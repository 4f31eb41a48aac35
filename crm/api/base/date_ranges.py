"""Date range parameters of metrics endpoints."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from crm.api.base.filters import check_days
from crm.api.base.serializers import DayField
from crm.api.base.views import TenantView
from crm.date_ranges import FIRST_DAY, DateRange, today_in

DEFAULT_DAYS = 30


class PeriodParameters(serializers.Serializer):
    start_date = DayField(required=False, help_text="First day, in the company's time zone.")
    end_date = DayField(required=False, help_text="Last day, included.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        check_days(attrs.get("start_date"), attrs.get("end_date"))
        return attrs

    def period(self, *, default_days: int | None) -> DateRange:
        """Return the requested days. A missing side means the last `default_days`, or all time if that is None."""
        zone = self.context["request"].user.company.zone
        start, end = self.validated_data.get("start_date"), self.validated_data.get("end_date")
        if default_days:
            end = end or max(today_in(zone), start or today_in(zone))
            start = start or max(end - timedelta(days=default_days - 1), FIRST_DAY)
        return DateRange(start, end, zone)


class MetricsAPIView(TenantView):
    """A view of metrics. `parameters_class` reads its query parameters."""

    parameters_class: type[PeriodParameters] = PeriodParameters
    on_replica = True

    def known_parameters(self) -> set[str]:
        return set(self.parameters_class().fields)

    def read_parameters(self, request: Request) -> Any:
        parameters = self.parameters_class(data=request.query_params.dict(), context={"request": request})
        parameters.is_valid(raise_exception=True)
        return parameters


class PeriodSerializer(serializers.Serializer):
    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)
    timezone = serializers.CharField()

"""`dashboard/…`: the company's numbers. Days are cut in the company's time zone, daylight saving included."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.dashboard.booking_rate import MAX_DAYS, measure_cohort, measure_scheduled
from analytics.dashboard.metrics import measure_calls
from analytics.dashboard.objections import rank_objections
from analytics.dashboard.period import Period
from calls.choices import CallStatus
from crm.api.serializers import DayField
from crm.api.views import TenantView
from crm.days import FIRST_DAY, today_in

DEFAULT_DAYS = 30
BASES = {"scheduled": measure_scheduled, "cohort": measure_cohort}


class PeriodParameters(serializers.Serializer):
    start_date = DayField(required=False, help_text="First day, in the company's time zone.")
    end_date = DayField(required=False, help_text="Last day, included.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs.get("start_date"), attrs.get("end_date")
        if start and end and start > end:
            raise serializers.ValidationError({"start_date": ["Must not be after end_date."]})
        return attrs

    def period(self, *, default_days: int | None) -> Period:
        """The days asked for; of a side left out, `default_days` until today, or all time."""
        zone = self.context["request"].user.company.zone
        start, end = self.validated_data.get("start_date"), self.validated_data.get("end_date")
        if default_days:
            end = end or max(today_in(zone), start or today_in(zone))
            start = start or max(end - timedelta(days=default_days - 1), FIRST_DAY)
        return Period(start, end, zone)


class BookingRateParameters(PeriodParameters):
    basis = serializers.ChoiceField(choices=list(BASES), default="scheduled")


class ObjectionParameters(PeriodParameters):
    limit = serializers.IntegerField(min_value=1, max_value=20, default=5)


class DashboardView(TenantView):
    """A set of numbers, for parameters that a serializer reads from the query string."""

    parameters_class: type[PeriodParameters] = PeriodParameters

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


class StatusCountsSerializer(serializers.Serializer):
    """Calls of each status."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {status: serializers.IntegerField() for status in CallStatus.values}


class LostSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    value = serializers.DecimalField(max_digits=20, decimal_places=2)


class MetricsSerializer(PeriodSerializer):
    total = serializers.IntegerField()
    qualified = serializers.IntegerField()
    booked = serializers.IntegerField()
    booking_rate = serializers.FloatField(allow_null=True)
    by_status = StatusCountsSerializer()
    lost = LostSerializer()


class MetricsView(DashboardView):
    """The company's calls in figures: all time, unless dates are given."""

    resource = "dashboard/metrics"

    @extend_schema(parameters=[PeriodParameters], responses=MetricsSerializer)
    def get(self, request: Request) -> Response:
        return Response(measure_calls(self.read_parameters(request).period(default_days=None)))


class BookingDaySerializer(serializers.Serializer):
    date = serializers.DateField()
    booked = serializers.IntegerField()
    qualified = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)


class BookingRateSerializer(PeriodSerializer):
    basis = serializers.ChoiceField(choices=list(BASES))
    days = BookingDaySerializer(many=True)


class BookingRateView(DashboardView):
    """Booked of qualified, day by day; the last 30 days, unless dates are given. At most 1,100 days."""

    resource = "dashboard/booking-rate"
    parameters_class = BookingRateParameters

    @extend_schema(parameters=[BookingRateParameters], responses=BookingRateSerializer)
    def get(self, request: Request) -> Response:
        parameters = self.read_parameters(request)
        period = parameters.period(default_days=DEFAULT_DAYS)
        if len(period.days) > MAX_DAYS:
            raise serializers.ValidationError({"start_date": [f"At most {MAX_DAYS} days can be listed."]})
        basis = parameters.validated_data["basis"]
        return Response(period.as_json() | {"basis": basis, "days": BASES[basis](period)})


class ObjectionSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # every Field has an attribute of this name
    count = serializers.IntegerField()
    percentage = serializers.FloatField()


class TopObjectionsSerializer(PeriodSerializer):
    calls_with_objections = serializers.IntegerField()
    objections = ObjectionSerializer(many=True)


class TopObjectionsView(DashboardView):
    """The commonest objections; in analyses of the last 30 days, unless dates are given."""

    resource = "dashboard/top-objections"
    parameters_class = ObjectionParameters

    @extend_schema(parameters=[ObjectionParameters], responses=TopObjectionsSerializer)
    def get(self, request: Request) -> Response:
        parameters = self.read_parameters(request)
        period = parameters.period(default_days=DEFAULT_DAYS)
        return Response(rank_objections(period, limit=parameters.validated_data["limit"]))

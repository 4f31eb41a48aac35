"""`dashboard/…`: metrics of the company. Days begin at midnight in the company's time zone."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.dashboard.booking_rate import MAX_DAYS, cohort_booking_rate, scheduled_booking_rate
from analytics.dashboard.metrics import call_metrics
from analytics.dashboard.objections import top_objections
from calls.choices import CallStatus
from crm.api.base.date_ranges import DEFAULT_DAYS, MetricsAPIView, PeriodParameters, PeriodSerializer
from crm.api.base.errors import invalid
from crm.api.base.serializers import WholeNumberField
from crm.error_codes import ErrorCode

BASES = {"scheduled": scheduled_booking_rate, "cohort": cohort_booking_rate}


class BookingRateParameters(PeriodParameters):
    basis = serializers.ChoiceField(choices=list(BASES), default="scheduled")


class ObjectionParameters(PeriodParameters):
    limit = WholeNumberField(min_value=1, max_value=20, default=5)


class StatusCountsSerializer(serializers.Serializer):
    """Number of calls by status."""

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


class MetricsView(MetricsAPIView):
    """Call metrics of the company. Default: all time."""

    resource = "dashboard/metrics"

    @extend_schema(parameters=[PeriodParameters], responses=MetricsSerializer)
    def get(self, request: Request) -> Response:
        return Response(call_metrics(self.read_parameters(request).period(default_days=None)))


class BookingDaySerializer(serializers.Serializer):
    date = serializers.DateField()
    booked = serializers.IntegerField()
    qualified = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)


class BookingRateSerializer(PeriodSerializer):
    basis = serializers.ChoiceField(choices=list(BASES))
    days = BookingDaySerializer(many=True)


class BookingRateView(MetricsAPIView):
    """Booking rate by day. Default: the last 30 days. At most 1,100 days."""

    resource = "dashboard/booking-rate"
    parameters_class = BookingRateParameters
    refusals = {"get": (ErrorCode.OUT_OF_RANGE,)}

    @extend_schema(parameters=[BookingRateParameters], responses=BookingRateSerializer)
    def get(self, request: Request) -> Response:
        parameters = self.read_parameters(request)
        period = parameters.period(default_days=DEFAULT_DAYS)
        if len(period.days) > MAX_DAYS:
            detail = f"At most {MAX_DAYS} days can be listed; choose a later start date."
            raise invalid("start_date", detail, code=ErrorCode.OUT_OF_RANGE)
        basis = parameters.validated_data["basis"]
        return Response(period.as_json() | {"basis": basis, "days": BASES[basis](period)})


class ObjectionSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]  # every Field has an attribute of this name
    count = serializers.IntegerField()
    percentage = serializers.FloatField()


class TopObjectionsSerializer(PeriodSerializer):
    calls_with_objections = serializers.IntegerField()
    objections = ObjectionSerializer(many=True)


class TopObjectionsView(MetricsAPIView):
    """The most frequent objections, by the time of their analysis. Default: the last 30 days."""

    resource = "dashboard/top-objections"
    parameters_class = ObjectionParameters
    refusals = {"get": (ErrorCode.MIN_VALUE, ErrorCode.MAX_VALUE)}

    @extend_schema(parameters=[ObjectionParameters], responses=TopObjectionsSerializer)
    def get(self, request: Request) -> Response:
        parameters = self.read_parameters(request)
        period = parameters.period(default_days=DEFAULT_DAYS)
        return Response(top_objections(period, limit=parameters.validated_data["limit"]))

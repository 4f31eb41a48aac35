"""`dashboard/…`: metrics of the company. Days begin at midnight in the company's time zone."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.dashboard.booking_rate import MAX_DAYS, cohort_booking_rate, scheduled_booking_rate
from analytics.dashboard.leads import MAX_SOURCES, lead_conversion
from analytics.dashboard.metrics import call_metrics
from analytics.dashboard.objections import top_objections
from calls.choices import CallStatus
from crm.api.base.date_ranges import DEFAULT_DAYS, MetricsAPIView, PeriodParameters, PeriodSerializer
from crm.api.base.errors import invalid
from crm.api.base.serializers import OneOfField, WholeNumberField
from crm.error_codes import ErrorCode

BASIS = (
    "`scheduled`: appointments that start on the day, and calls of the day with a lead. "
    "`cohort`: calls of the day with a lead, and those of them that are booked."
)
BASES = {"scheduled": scheduled_booking_rate, "cohort": cohort_booking_rate}


class BookingRateParameters(PeriodParameters):
    basis = OneOfField(choices=list(BASES), default="scheduled", help_text=BASIS)


class ObjectionParameters(PeriodParameters):
    limit = WholeNumberField(min_value=1, max_value=20, default=5, help_text="Number of objections.")


PERCENT = "In percent, with two decimals. Null: there is nothing to divide by."


class StatusCountsSerializer(serializers.Serializer):
    """Number of calls by status."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            status: serializers.IntegerField(help_text=f"Calls with the status {status}.")
            for status in CallStatus.values
        }


class LostSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="Number of lost calls.")
    value = serializers.DecimalField(max_digits=20, decimal_places=2, help_text="Sum of their quoted prices.")


class MetricsSerializer(PeriodSerializer):
    total = serializers.IntegerField(help_text="All calls.")
    qualified = serializers.IntegerField(help_text="Calls with a lead.")
    booked = serializers.IntegerField(help_text="Calls whose status counts as booked.")
    booking_rate = serializers.FloatField(
        allow_null=True, help_text=f"Qualified calls that are booked. {PERCENT} Null: no qualified call."
    )
    by_status = StatusCountsSerializer(help_text="Calls by status. The sum is `total`.")
    lost = LostSerializer(help_text="Lost sales.")


class MetricsView(MetricsAPIView):
    """Call metrics of the company. Default: all time."""

    resource = "dashboard/metrics"

    @extend_schema(parameters=[PeriodParameters], responses=MetricsSerializer)
    def get(self, request: Request) -> Response:
        return Response(call_metrics(self.read_parameters(request).period(default_days=None)))


class BookingDaySerializer(serializers.Serializer):
    date = serializers.DateField(help_text="The day, in the company's time zone.")
    booked = serializers.IntegerField(help_text="What was booked, by the basis.")
    qualified = serializers.IntegerField(help_text="Calls of the day with a lead.")
    rate = serializers.FloatField(allow_null=True, help_text=f"Booked by qualified. {PERCENT} Null: no qualified call.")


class BookingRateSerializer(PeriodSerializer):
    basis = serializers.ChoiceField(choices=list(BASES), help_text=BASIS)
    days = BookingDaySerializer(many=True, help_text="Every day of the period.")


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


class ConversionSerializer(serializers.Serializer):
    """Leads of the period, and what has become of them until now."""

    leads = serializers.IntegerField(help_text="Leads that were created in the period.")
    booked = serializers.IntegerField(help_text="Those of them that are booked or won.")
    won = serializers.IntegerField(help_text="Those of them that are won.")
    lost = serializers.IntegerField(help_text="Those of them that are lost.")
    won_value = serializers.DecimalField(
        max_digits=20, decimal_places=2, help_text="Sum of the values of those won; a lead without a value counts as 0."
    )
    conversion_rate = serializers.FloatField(allow_null=True, help_text=f"Won by leads. {PERCENT} Null: no lead.")


class SourceConversionSerializer(ConversionSerializer):
    source: Any = serializers.CharField(help_text="The source, as it is written in the leads. Empty: unknown.")


class AssigneeConversionSerializer(ConversionSerializer):
    assignee = serializers.IntegerField(
        allow_null=True, help_text="ID of the manager or CSR who works on the leads now. Null: nobody."
    )
    assignee_name = serializers.CharField(allow_null=True, help_text="Name of that user. Null: nobody.")


class LeadConversionSerializer(PeriodSerializer, ConversionSerializer):
    by_source = SourceConversionSerializer(
        many=True, help_text=f"By source, the one with the most leads first, at most {MAX_SOURCES}."
    )
    other_sources = ConversionSerializer(allow_null=True, help_text="All further sources. Null: there are none.")
    by_assignee = AssigneeConversionSerializer(many=True, help_text="By assignee, the one with the most leads first.")


class LeadConversionView(MetricsAPIView):
    """Conversion of leads by source and by assignee. Default: the last 30 days.

    A lead counts on the day on which it was created, with its present status, source and assignee: the rate of recent
    days rises while their leads are decided.
    """

    resource = "dashboard/lead-conversion"

    @extend_schema(parameters=[PeriodParameters], responses=LeadConversionSerializer)
    def get(self, request: Request) -> Response:
        return Response(lead_conversion(self.read_parameters(request).period(default_days=DEFAULT_DAYS)))


class ObjectionSerializer(serializers.Serializer):
    label = serializers.CharField(help_text="The objection.")  # type: ignore[assignment]  # every Field has an attribute of this name
    count = serializers.IntegerField(help_text="Calls with it, each by its latest analysis.")
    percentage = serializers.FloatField(help_text="Of the calls with objections, with two decimals.")


class TopObjectionsSerializer(PeriodSerializer):
    calls_with_objections = serializers.IntegerField(help_text="Calls with any objection.")
    objections = ObjectionSerializer(many=True, help_text="The most frequent first.")


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

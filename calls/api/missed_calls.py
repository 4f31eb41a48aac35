"""`missed-calls`: the missed queue and its metrics."""

from typing import Any

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.responses import RespondedAtField, ResponderField, ResponderNameField
from calls.choices import Recovery, TextBack
from calls.models import MissedCaller
from calls.services.claims import claim_caller, release_caller
from calls.services.missed_calls import mark_recovered_manually, undo_recovery
from crm.api.base.date_ranges import DEFAULT_DAYS, MetricsAPIView, PeriodParameters, PeriodSerializer
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, RowFilter, YesNoFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import ReadViewSet, without_body
from crm.api.companions import ContactSummaryField, PhoneLineNameField, UserNameField
from crm.choices import ActivityType
from crm.error_codes import ErrorCode

RECOVERED_USER = "User who marked the caller as recovered. Null: nobody; the caller waits, or was reached otherwise."


class MissedCallerSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    phone_line_name = PhoneLineNameField()
    recovered_user = CompanyUserField(read_only=True, allow_null=True, help_text=RECOVERED_USER)
    recovered_user_name = UserNameField("recovered_user")
    claimed_by = CompanyUserField(read_only=True, allow_null=True, help_text="User who is calling back. Null: nobody.")
    claimed_by_name = UserNameField("claimed_by")
    texted_at = RespondedAtField(
        ActivityType.MESSAGE, help_text="Time of the latest message to the caller. Null: none."
    )
    texted_by = ResponderField(
        ActivityType.MESSAGE,
        help_text="ID of its user. Null: nobody has texted, or it was the text back, or came from the provider's app.",
    )
    texted_by_name = ResponderNameField(ActivityType.MESSAGE)
    called_at = RespondedAtField(ActivityType.CALL, help_text="Time of the latest call to the caller. Null: none.")
    called_by = ResponderField(
        ActivityType.CALL, help_text="ID of its user. Null: nobody has called back, or the provider doesn't say who."
    )
    called_by_name = ResponderNameField(ActivityType.CALL)

    class Meta:
        model = MissedCaller
        fields = [
            "id", "contact", "contact_summary", "phone_line", "phone_line_name", "missed_calls", "first_missed_at",
            "last_missed_at", "text_back", "text_back_reason", "recovered_at", "recovered_by", "recovered_user",
            "recovered_user_name", "claimed_by", "claimed_by_name", "claimed_until", "texted_at", "texted_by",
            "texted_by_name", "called_at", "called_by", "called_by_name", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "missed_calls": {"help_text": "Number of missed calls until the caller was reached."},
            "first_missed_at": {"help_text": "Time of the first one."},
            "last_missed_at": {"help_text": "Time of the latest one."},
            "text_back": {"help_text": "What became of the automatic message."},
            "recovered_at": {"help_text": "Time when the caller was reached. Null: still waiting."},
            "recovered_by": {"help_text": "How the caller was reached. Empty: still waiting."},
            "claimed_until": {"help_text": "End of the claim, 15 minutes after it was last made. Null: no claim."},
        }


class MissedCallerFilterSet(ContactFilterSet):
    day_field = "last_missed_at"
    phone_line = RowFilter(field_name="phone_line")
    recovered = YesNoFilter(method="by_recovered", label="Whether the caller was reached.")
    recovered_by = ChoicesFilter(choices=Recovery.choices)

    def by_recovered(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.filter(recovered_at__isnull=not value)


class MissedCallerViewSet(ReadViewSet):
    """Missed callers, latest first: one row for all missed calls until the caller is reached."""

    resource = "missed-calls"
    model = MissedCaller
    serializer_class = MissedCallerSerializer
    refusals = {
        "claim": (ErrorCode.ALREADY_CLAIMED, ErrorCode.NOT_WAITING),
        "release": (ErrorCode.NOT_YOURS,),
        "undo": (ErrorCode.NOT_MARKED,),
    }
    filterset_class = MissedCallerFilterSet
    orders = orders_by("last_missed_at")

    @extend_schema(request=None, responses=MissedCallerSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def recover(self, request: Request, **kwargs: Any) -> Response:
        """Mark a missed caller as recovered. A recovered one stays unchanged."""
        return self.row_response(mark_recovered_manually(caller=self.get_object(), user=self.user).pk)

    @extend_schema(request=None, responses=MissedCallerSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def undo(self, request: Request, **kwargs: Any) -> Response:
        """Take back that a user has marked the caller as recovered."""
        caller = self.get_object()
        undo_recovery(caller=caller)
        return self.row_response(caller.pk)

    @extend_schema(request=None, responses=MissedCallerSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def claim(self, request: Request, **kwargs: Any) -> Response:
        """Claim a missed caller, or renew the own claim. A colleague's claim is a 409."""
        caller = self.get_object()
        claim_caller(caller=caller, user=self.user)
        return self.row_response(caller.pk)

    @extend_schema(request=None, responses=MissedCallerSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def release(self, request: Request, **kwargs: Any) -> Response:
        """End the own claim of a missed caller. Managers end anybody's."""
        caller = self.get_object()
        release_caller(caller=caller, user=self.user)
        return self.row_response(caller.pk)


class RecoveriesSerializer(serializers.Serializer):
    """Missed callers by recovery."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {way.value: serializers.IntegerField(help_text=f"{way.label}.") for way in Recovery}


class MissedCallCountsSerializer(PeriodSerializer):
    waiting = serializers.IntegerField(help_text="Callers not reached yet, regardless of the period.")
    recovered_by = RecoveriesSerializer(help_text="Callers of the period by recovery.")
    texted = serializers.IntegerField(help_text="Callers of the period that were sent a message.")


class MissedCallCountsView(MetricsAPIView):
    """Metrics of the missed queue.

    They count callers whose last missed call is in the period. Default: the last 30 days.
    """

    resource = "missed-calls/counts"

    @extend_schema(parameters=[PeriodParameters], responses=MissedCallCountsSerializer)
    def get(self, request: Request) -> Response:
        period = self.read_parameters(request).period(default_days=DEFAULT_DAYS)
        start, end = period.closed_bounds
        ways = {way: Count("pk", filter=Q(recovered_by=way)) for way in Recovery.values}
        counts = MissedCaller.objects.filter(last_missed_at__gte=start, last_missed_at__lt=end).aggregate(
            texted=Count("pk", filter=Q(text_back=TextBack.QUEUED)), **ways
        )
        return Response(
            period.as_json()
            | {
                "waiting": MissedCaller.objects.waiting().count(),
                "texted": counts.pop("texted"),
                "recovered_by": counts,
            }
        )

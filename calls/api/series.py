"""`appointments/series`: appointments that recur by a rule."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.appointments import (
    AppointmentListSerializer,
    AppointmentSerializer,
    name_conflicts,
    show_appointments,
)
from calls.services.series import MAX_LENGTH, SeriesTaken, book_series
from crm.api.base.roles import CREATE
from crm.api.base.views import TenantView
from crm.error_codes import ErrorCode
from crm.models import Company


class SeriesSerializer(AppointmentSerializer):
    """The first appointment of a series, and the rule of the others."""

    recurrence = serializers.CharField(
        max_length=200,
        help_text="A rule of RFC 5545 by the company's clock, with COUNT or UNTIL, such as FREQ=WEEKLY;COUNT=10. "
        f"At most {MAX_LENGTH} appointments within a year.",
    )

    contact_summary = address = assigned_rep_name = None  # type: ignore[assignment]  # of the answer alone

    class Meta(AppointmentSerializer.Meta):
        fields = [
            "contact", "call", "assigned_rep", "scheduled_start", "scheduled_end", "allow_overlap", "notes",
            "recurrence",
        ]  # fmt: skip
        extra_kwargs = {"call": {"help_text": "The call that the first appointment is booked from."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        rule = attrs.pop("recurrence")
        return super().validate(attrs) | {"recurrence": rule}


class SeriesView(TenantView):
    """Appointments that recur by a rule."""

    resource = "appointments/series"
    refusals = {
        "post": (ErrorCode.INVALID_RECURRENCE, ErrorCode.OUT_OF_RANGE, ErrorCode.OTHER_CONTACT, ErrorCode.SERIES_TAKEN)
    }

    @property
    def verb(self) -> str | None:
        return CREATE if self.request.method == "POST" else super().verb

    @extend_schema(
        operation_id="appointments_series", request=SeriesSerializer, responses={201: AppointmentListSerializer}
    )
    def post(self, request: Request) -> Response:
        """Book an appointment and those that recur by the rule: all of them, or none (409, `series_taken`).

        They are at the same local time, also after the clocks change. `series` of each is the same.
        """
        body = SeriesSerializer(data=request.data, context={"request": request, "view": self})
        body.is_valid(raise_exception=True)
        booked = book_series(company=cast(Company, self.user.company), user=self.user, **body.validated_data)
        return Response({"appointments": show_appointments(booked, self)}, status.HTTP_201_CREATED)

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(name_conflicts(exc, self) if isinstance(exc, SeriesTaken) else exc)

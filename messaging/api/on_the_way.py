"""`appointments/{id}/on-the-way`: tell the contact that the rep is on the way."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.appointments import AppointmentSerializer
from calls.models import Appointment
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import RetrieveMixin, TenantViewSet
from crm.error_codes import ErrorCode
from messaging.api.threads import REPLY_CODES
from messaging.models import Message
from messaging.services.outbound.on_the_way import MAX_MINUTES, send_on_the_way

OF_FILES = {ErrorCode.MEDIA_UNSUPPORTED, ErrorCode.OUT_OF_RANGE, ErrorCode.NOT_ALLOWED, ErrorCode.MESSAGE_EMPTY}


class OnTheWaySerializer(TenantSerializer):
    minutes = serializers.IntegerField(min_value=1, max_value=MAX_MINUTES, help_text="Minutes until the rep is there.")

    class Meta:
        model = Message
        fields = ["minutes", "phone_line"]
        extra_kwargs = {
            "phone_line": {"help_text": "ID of the phone line. Without it: that of the contact's latest conversation."}
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs  # the service creates the row with all required fields


class OnTheWayViewSet(RetrieveMixin, TenantViewSet):
    """Appointments whose contacts are told that the rep is on the way."""

    resource = "appointments"
    model = Appointment
    serializer_class = AppointmentSerializer
    refusals = {
        "on_the_way": (
            ErrorCode.MIN_VALUE, ErrorCode.MAX_VALUE, ErrorCode.NOT_COMING, ErrorCode.NOT_SOON,
            ErrorCode.ALREADY_ON_THE_WAY, ErrorCode.QUIET_HOURS,
            *(code for code in REPLY_CODES if code not in OF_FILES),
        )
    }  # fmt: skip

    def get_rows(self) -> Any:
        return super().get_rows().select_related("company", "contact", "assigned_rep", "call__phone_line")

    @extend_schema(
        operation_id="appointments_on_the_way", summary="Say that the rep is on the way",
        request=OnTheWaySerializer, responses=AppointmentSerializer,
    )  # fmt: skip
    def on_the_way(self, request: Request, **kwargs: Any) -> Response:
        """Text the contact that the rep is on the way, once for each time of an appointment.

        The send policy decides as for every message, quiet hours included. The message doesn't wait: what blocks it is
        a 409, with `retry_at` if waiting helps.
        """
        appointment = self.get_object()
        body = OnTheWaySerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        send_on_the_way(
            appointment=appointment,
            minutes=body.validated_data["minutes"],
            line=body.validated_data.get("phone_line"),
            user=self.user,
        )
        return self.row_response(appointment.pk)

"""`appointments`."""

from datetime import datetime
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

from calls.choices import AppointmentStatus
from calls.models import Appointment
from calls.services.booking import SlotTaken, StartOutOfRange, book_appointment, change_appointment, check_start
from crm.api.base.errors import Conflict
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, DayFilter, RowFilter
from crm.api.base.idempotency import idempotent
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import AssignableUserField, TenantSerializer
from crm.api.base.views import EditViewSet
from crm.api.companions import AddressField, ContactSummaryField, UserNameField


class AppointmentSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    address = AddressField()
    assigned_rep = AssignableUserField(required=False, allow_null=True)
    assigned_rep_name = UserNameField("assigned_rep")

    class Meta:
        model = Appointment
        fields = [
            "id", "contact", "contact_summary", "address", "call", "lead", "assigned_rep", "assigned_rep_name",
            "scheduled_start", "scheduled_end", "date", "time", "timezone",
            "allow_overlap", "status", "notes", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["lead", "date", "time", "timezone", "created_at", "updated_at"]
        fixed_fields = ["contact", "call"]

    def validate_scheduled_start(self, start: datetime) -> datetime:
        try:
            check_start(start)
        except StartOutOfRange as error:
            raise ValidationError(str(error)) from error
        return start

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("call") and attrs["call"].contact_id != attrs["contact"].pk:
            raise ValidationError({"call": ["This call belongs to another contact."]})
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> Appointment:
        return self._write(book_appointment, **validated_data)

    def update(self, instance: Appointment, validated_data: dict[str, Any]) -> Appointment:
        return self._write(change_appointment, appointment=instance, **validated_data)

    def _write(self, service: Any, **values: Any) -> Appointment:
        try:
            return service(**values)
        except SlotTaken as error:
            raise Conflict(str(error), code="slot_taken", appointment=_summary(error.other)) from error


def _summary(other: Appointment | None) -> dict[str, Any] | None:
    """Return what a person needs to know of the appointment that takes the slot."""
    if other is None:
        return None
    return {
        "id": other.pk,
        "contact": other.contact_id,
        "assigned_rep": other.assigned_rep_id,
        "scheduled_start": other.scheduled_start,
        "scheduled_end": other.scheduled_end,
    }


class AppointmentFilterSet(ContactFilterSet):
    assigned_rep = RowFilter(field_name="assigned_rep", me=True, none=True)
    date = DayFilter(field_name="date", label="The appointment's day in its own time zone.")
    day_field = "scheduled_start"
    status = ChoicesFilter(choices=AppointmentStatus.choices)


class AppointmentViewSet(EditViewSet):
    """Appointments by start, latest first.

    Booking from a call marks the call as booked and gives it a lead: see docs/statuses.md. A rep can't be in two places
    (409, `slot_taken`, with the other appointment); `allow_overlap: true` books all the same.
    """

    resource = "appointments"
    model = Appointment
    serializer_class = AppointmentSerializer
    filterset_class = AppointmentFilterSet
    orders = orders_by("scheduled_start")
    create = idempotent(EditViewSet.create)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company=self.user.company)

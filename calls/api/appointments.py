"""`appointments`."""

from typing import Any

import django_filters
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import BaseSerializer

from calls.choices import AppointmentStatus
from calls.models import Appointment
from calls.services.booking import book_appointment
from crm.api.base.filters import DayFilter, DaysFilterSet, IdFilter
from crm.api.base.idempotency import idempotent
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import EditViewSet


class AppointmentSerializer(TenantSerializer):
    assigned_rep = CompanyUserField(required=False, allow_null=True)

    class Meta:
        model = Appointment
        fields = [
            "id", "contact", "call", "lead", "assigned_rep", "scheduled_start", "scheduled_end",
            "date", "time", "timezone", "status", "notes", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["lead", "date", "time", "timezone", "created_at", "updated_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance:
            for name in ("contact", "call"):
                if name in attrs and attrs[name] != getattr(self.instance, name):
                    raise ValidationError({name: ["Can't be changed; cancel this appointment and book another."]})
        elif attrs.get("call") and attrs["call"].contact_id != attrs["contact"].pk:
            raise ValidationError({"call": ["This call belongs to another contact."]})
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> Appointment:
        return book_appointment(**validated_data)


class AppointmentFilterSet(DaysFilterSet):
    assigned_rep = IdFilter(field_name="assigned_rep_id")
    date = DayFilter(field_name="date", label="The appointment's day in its own time zone.")
    day_field = "scheduled_start"
    status = django_filters.ChoiceFilter(choices=AppointmentStatus.choices)


class AppointmentViewSet(EditViewSet):
    """Appointments by start, latest first. Booking from a call marks the call as booked and gives it a lead."""

    resource = "appointments"
    model = Appointment
    serializer_class = AppointmentSerializer
    filterset_class = AppointmentFilterSet
    ordering = ("-scheduled_start", "-id")
    create = idempotent(EditViewSet.create)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company=self.user.company)

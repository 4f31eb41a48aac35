"""`appointments`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import django_filters
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ValidationError

from calls.api.attachments import AttachmentListSerializer, list_files
from calls.choices import AppointmentStatus
from calls.models import Appointment, Attachment
from calls.services.booking import SlotTaken, StartOutOfRange, book_appointment, change_appointment, check_start
from calls.services.series import SeriesTaken, change_series
from crm.api.base.companions import add_companions, companions_of
from crm.api.base.errors import CodedError, invalid
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, DayFilter, RowFilter
from crm.api.base.pagination import orders_by
from crm.api.base.roles import visible
from crm.api.base.serializers import AssignableUserField, InstantField, TenantSerializer
from crm.api.base.views import EditViewSet
from crm.api.companions import AddressField, ContactSummaryField, UserNameField
from crm.error_codes import ErrorCode


class AppointmentSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    address = AddressField()
    assigned_rep = AssignableUserField(required=False, allow_null=True)
    assigned_rep_name = UserNameField("assigned_rep")

    class Meta:
        model = Appointment
        fields = [
            "id", "contact", "contact_summary", "address", "call", "lead", "assigned_rep", "assigned_rep_name",
            "scheduled_start", "scheduled_end", "date", "time", "timezone", "series",
            "allow_overlap", "status", "notes", "on_the_way_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["lead", "date", "time", "timezone", "series", "on_the_way_at", "created_at", "updated_at"]
        fixed_fields = ["contact", "call"]
        extra_kwargs = {
            "series": {"help_text": "Of appointments that were booked together. Null: booked alone."},
            "date": {"help_text": "Day of the start, in the appointment's time zone."},
            "on_the_way_at": {
                "help_text": "Time when the contact was told that the rep is on the way. Null: not yet, or the "
                "appointment was moved since."
            },
            "time": {"help_text": "Wall clock time of the start, in the appointment's time zone."},
        }

    def validate_scheduled_start(self, start: datetime) -> datetime:
        try:
            check_start(start)
        except StartOutOfRange as error:
            raise ValidationError(str(error), error.code) from error
        return start

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("call") and attrs["call"].contact_id != attrs["contact"].pk:
            raise invalid("call", "This call belongs to another contact.", code=ErrorCode.OTHER_CONTACT)
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> Appointment:
        return book_appointment(user=self.context["request"].user, **validated_data)

    def update(self, instance: Appointment, validated_data: dict[str, Any]) -> Appointment:
        return change_appointment(appointment=instance, user=self.context["request"].user, **validated_data)


def name_other(taken: SlotTaken, context: Mapping[str, Any]) -> CodedError:
    """Return the error with the other appointment as its own route shows it, if the user may see it."""
    rows = visible(Appointment.objects.all(), context["request"].user, "appointments")
    other = rows.filter(pk=taken.other.pk).first() if taken.other else None
    detail = str(taken) if other else ErrorCode.SLOT_TAKEN.detail
    shown = other and AppointmentSerializer(other, context=dict(context)).data
    return CodedError(ErrorCode.SLOT_TAKEN, detail, appointment=shown)


class AppointmentListSerializer(serializers.Serializer):
    appointments = AppointmentSerializer(many=True, help_text="The appointments, by their start.")


class SeriesChangeSerializer(AppointmentSerializer):
    """Changes of an appointment and all later ones of its series."""

    class Meta(AppointmentSerializer.Meta):
        fields = ["assigned_rep", "scheduled_start", "scheduled_end", "allow_overlap", "status", "notes"]

    scheduled_start = InstantField(required=False)
    scheduled_end = InstantField(required=False, help_text="Default: the length stays.")
    contact_summary = address = assigned_rep_name = None  # type: ignore[assignment]  # of the answer alone

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "scheduled_start" in attrs and self.instance is not None:  # the length stays
            length = self.instance.scheduled_end - self.instance.scheduled_start
            attrs.setdefault("scheduled_end", attrs["scheduled_start"] + length)
        return super().validate(attrs)


class AppointmentFilterSet(ContactFilterSet):
    series = django_filters.UUIDFilter(label="Appointments of one series.")
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
    refusals = {
        **dict.fromkeys(["create", "partial_update"], (ErrorCode.OUT_OF_RANGE, ErrorCode.OTHER_CONTACT)),
        "change_series": (ErrorCode.OUT_OF_RANGE, ErrorCode.SERIES_TAKEN, ErrorCode.NOT_IN_SERIES),
    }
    filterset_class = AppointmentFilterSet
    orders = orders_by("scheduled_start")

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and self.action not in ("attachments", "change_series")

    @extend_schema(summary="List the files of an appointment", responses=AttachmentListSerializer)
    @action(detail=True, methods=["get"])
    def attachments(self, request: Request, **kwargs: Any) -> Response:
        """List all files that users have put on an appointment, newest first: `POST attachments` adds one."""
        files = Attachment.objects.filter(appointment=self.get_object())
        return list_files(files, self.get_serializer_context())

    @extend_schema(
        summary="Change an appointment and all later ones of its series",
        request=SeriesChangeSerializer,
        responses=AppointmentListSerializer,
    )
    @action(detail=True, methods=["post"], url_path="change-series")
    def change_series(self, request: Request, **kwargs: Any) -> Response:
        """Change an appointment and all later ones of its series that are to come, or none (409, `series_taken`).

        A new time moves each by the same days and local time. To change one alone, use PATCH.
        """
        # Locked before it is compared: of two requests at once, the second moves the others by what is left.
        with transaction.atomic():
            appointment = self.get_locked_object()
            serializer = SeriesChangeSerializer(
                appointment, data=request.data, partial=True, context=self.get_serializer_context()
            )
            serializer.is_valid(raise_exception=True)
            changed = change_series(appointment=appointment, user=self.user, **serializer.validated_data)
        return Response({"appointments": show_appointments(changed, self)})

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, SeriesTaken):
            exc = name_conflicts(exc, self)
        context = self.get_serializer_context()
        return super().handle_exception(name_other(exc, context) if isinstance(exc, SlotTaken) else exc)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company=self.user.company)


def show_appointments(rows: Iterable[Appointment], view: Any) -> list[dict[str, Any]]:
    """Return appointments as their own route shows them, in the order of their starts, with a few statements."""
    found = Appointment.objects.filter(pk__in=[row.pk for row in rows]).order_by("scheduled_start", "id")
    serializer = AppointmentSerializer(context={"request": view.request, "view": view})
    shown = [serializer.own_fields(row) for row in found]
    add_companions(shown, companions_of(AppointmentSerializer), view.user)
    return shown


def name_conflicts(taken: SeriesTaken, view: Any) -> CodedError:
    """Return the error with each time at which the rep isn't free, and the other appointment."""
    others = {row["id"]: row for row in show_appointments([each.other for each in taken.conflicts if each.other], view)}
    conflicts = [
        {"scheduled_start": each.scheduled_start, "appointment": others.get(each.other.pk) if each.other else None}
        for each in taken.conflicts
    ]
    return CodedError(ErrorCode.SERIES_TAKEN, str(taken), conflicts=conflicts)

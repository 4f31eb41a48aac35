"""`appointment-reminders`: reminders of appointments, with the contacts' answers."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.base.companions import Companion
from crm.api.base.filters import ChoicesFilter, ContactFilter, ContactFilterSet, RowFilter, YesNoFilter
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import ReadViewSet
from crm.api.companions import ContactSummaryField
from crm.models import User
from messaging.choices import MessageStatus, ReminderAnswer
from messaging.models import AppointmentReminder, Message


@extend_schema_field(serializers.ChoiceField(choices=MessageStatus.choices, allow_null=True))
class MessageStatusField(Companion):
    """The status of a message. Null without one, and for one that is archived."""

    def __init__(self) -> None:
        super().__init__("message_id", help_text="Status of the message. Null: there is none, or it is archived.")

    def load(self, keys: set[int], user: User) -> dict[int, str]:
        return dict(Message.objects.filter(pk__in=keys).values_list("pk", "status"))


class AppointmentReminderSerializer(TenantSerializer):
    contact = serializers.IntegerField(read_only=True, help_text="ID of the appointment's contact.")
    contact_summary = ContactSummaryField()
    message_status = MessageStatusField()

    class Meta:
        model = AppointmentReminder
        fields = [
            "id", "appointment", "contact", "contact_summary", "lead_minutes", "scheduled_start", "status", "reason",
            "message_id", "message_status", "answer", "answered_at", "created_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs = {
            "appointment": {"help_text": "ID of the appointment."},
            "scheduled_start": {"help_text": "Start that the reminder names. The appointment may be moved since."},
            "reason": {"help_text": "Why there is no message. Empty: there is one."},
            "message_id": {"help_text": "ID of the message. Null: there is none."},
            "answer": {"help_text": "The contact's latest answer. Empty: none."},
        }


class AppointmentReminderFilterSet(ContactFilterSet):
    contact = ContactFilter(field_name="appointment__contact")
    appointment = RowFilter(field_name="appointment", label="Reminders of the appointment with this ID.")
    answer = ChoicesFilter(choices=ReminderAnswer.choices)
    reschedule = YesNoFilter(method="by_reschedule", label="Whether the contact waits for another time.")

    def by_reschedule(self, queryset: Any, name: str, value: bool) -> Any:
        requests = AppointmentReminder.objects.reschedule_requests(timezone.now())
        return (
            queryset.filter(pk__in=requests.values("pk")) if value else queryset.exclude(pk__in=requests.values("pk"))
        )


class AppointmentReminderViewSet(ReadViewSet):
    """Reminders of appointments, 24 hours and 2 hours before the start, if the company's settings say so."""

    resource = "appointment-reminders"
    model = AppointmentReminder
    serializer_class = AppointmentReminderSerializer
    filterset_class = AppointmentReminderFilterSet

    def get_rows(self) -> Any:
        return AppointmentReminder.objects.with_contact()

"""`calls` and `dashboard/calls`."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.attachments import AttachmentSerializer, show_files
from calls.choices import CallStatus
from calls.models import Attachment, Call
from calls.services.outcomes import change_call, create_call
from crm.api.base.errors import invalid
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, PhoneFilter, RowFilter, YesNoFilter
from crm.api.base.list_views import ListRowsMixin
from crm.api.base.serializers import AssignableUserField, TenantSerializer
from crm.api.base.views import EditViewSet, TenantViewSet
from crm.api.companions import ContactSummaryField, PhoneLineNameField, UserNameField
from crm.choices import Direction
from crm.error_codes import ErrorCode
from crm.refused_writes import refusals

MAX_SECONDS = 2**31 - 1  # the column's maximum on PostgreSQL, enforced on every database
REASON_ONLY_IF_LOST = "calls_reason_only_if_lost"
OF_ANOTHER_CONTACT = "The call and its lead must be of the same contact."


class CallSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    phone_line_name = PhoneLineNameField()
    assigned_rep = AssignableUserField(required=False, allow_null=True)
    assigned_rep_name = UserNameField("assigned_rep")

    class Meta:
        model = Call
        fields = [
            "id", "contact", "contact_summary", "phone_line", "phone_line_name", "lead", "assigned_rep",
            "assigned_rep_name", "direction", "from_number", "to_number", "status", "booked",
            "reason_for_lost_sale", "quoted_price", "recording_url", "voicemail_url",
            "created_at", "updated_at", "answered_at", "completed_at", "duration_s",
        ]  # fmt: skip
        read_only_fields = ["booked", "recording_url", "voicemail_url", "updated_at"]
        # What happened, as the provider or the person who logged the call has reported it.
        fixed_fields = [
            "phone_line", "direction", "from_number", "to_number", "created_at", "answered_at", "completed_at",
            "duration_s",
        ]  # fmt: skip
        extra_kwargs = {
            "duration_s": {"max_value": MAX_SECONDS},
            "status": {"help_text": "What became of the call. It decides `booked` and the lead: see docs/statuses.md."},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        def final(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        lead, contact = final("lead"), final("contact")
        if lead and (contact is None or lead.contact_id != contact.pk) and attrs.keys() & {"lead", "contact"}:
            name = "lead" if "lead" in attrs else "contact"
            raise invalid(name, OF_ANOTHER_CONTACT, code=ErrorCode.OTHER_CONTACT)
        if attrs.get("reason_for_lost_sale") and final("status") != CallStatus.LOST:
            refused = refusals()[REASON_ONLY_IF_LOST]
            raise invalid("reason_for_lost_sale", refused.sentence, code=refused.code)
        later = [attrs[name] for name in ("answered_at", "completed_at") if attrs.get(name)]
        if self.instance is None and later:
            attrs.setdefault("created_at", min(later))  # a call that is logged afterwards didn't start now
        return super().validate(attrs)

    def prepare(self, row: Call) -> None:
        row.set_status(row.status)

    def create(self, validated_data: dict[str, Any]) -> Call:
        return create_call(user=self.context["request"].user, **validated_data)

    def update(self, instance: Call, validated_data: dict[str, Any]) -> Call:
        return change_call(call=instance, user=self.context["request"].user, **validated_data)


class CallFilterSet(ContactFilterSet):
    assigned_rep = RowFilter(field_name="assigned_rep", me=True, none=True)
    lead = RowFilter(field_name="lead", none=True)
    phone_line = RowFilter(field_name="phone_line")
    status = ChoicesFilter(choices=CallStatus.choices)
    direction = ChoicesFilter(choices=Direction.choices)
    booked = YesNoFilter()
    number = PhoneFilter(method="by_number", label="The other party's number, in any format.")

    def by_number(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.with_number(value)


class CallRows(TenantViewSet):
    """Calls, newest first."""

    model = Call
    serializer_class = CallSerializer
    filterset_class = CallFilterSet


class RecordingsSerializer(serializers.Serializer):
    recordings = AttachmentSerializer(many=True, help_text="Recordings, then voicemails, as they came.")


class CallViewSet(CallRows, EditViewSet):
    """Phone calls. A new status decides the lead, `booked` and the reason of a lost sale: see docs/statuses.md."""

    resource = "calls"
    refusals = dict.fromkeys(["create", "partial_update"], (ErrorCode.OTHER_CONTACT,))

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and self.action != "recordings"

    @extend_schema(responses=RecordingsSerializer)
    @action(detail=True, methods=["get"])
    def recordings(self, request: Request, **kwargs: Any) -> Response:
        """Read a call's recordings and voicemails.

        Players and browsers open their links without signing in.
        """
        files = Attachment.objects.filter(call=self.get_object()).select_related("file").order_by("kind", "position")
        return Response({"recordings": show_files(files, self.get_serializer_context())})


@extend_schema_view(list=extend_schema(summary="List the calls of the dashboard"))
class DashboardCallsViewSet(ListRowsMixin, CallRows):
    """The dashboard's calls, newest first."""

    resource = "dashboard/calls"

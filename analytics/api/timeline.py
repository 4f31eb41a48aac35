"""`contacts/{id}/timeline`: a contact's timeline."""

from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics.timeline.pagination import Timeline
from analytics.timeline.sources import TimelineEntry
from crm.api.base.pagination import KeysetPagination
from crm.api.base.views import TenantViewSet
from crm.models import Contact, User


def kind_field(*kinds: str) -> Any:
    """Return a field whose OpenAPI pattern allows these kinds only, so that an entry matches one serializer."""

    class KindField(serializers.CharField):
        pass

    return extend_schema_field({"type": "string", "pattern": f"^({'|'.join(kinds)})$"})(KindField)()


class EntrySerializer(serializers.Serializer):
    kind = serializers.CharField()
    at = serializers.DateTimeField(help_text="Time of the event. Appointments: the scheduled start.")
    id = serializers.IntegerField(source="row.pk", help_text="ID of the message, call, appointment, …")


class MessageEntrySerializer(EntrySerializer):
    kind = kind_field("message")
    direction = serializers.CharField(source="row.direction")
    user = serializers.IntegerField(source="author", allow_null=True, help_text="User who wrote it.")
    phone_line = serializers.IntegerField(source="row.phone_line_id", allow_null=True)
    body = serializers.CharField(source="row.body")
    media = serializers.ListField(source="row.media")
    status = serializers.CharField(source="row.status")
    error = serializers.CharField(source="row.error")
    campaign = serializers.IntegerField(source="row.membership.campaign_id", allow_null=True, default=None)


class DetailText(serializers.CharField):
    """A string of the call details. Empty for a call without details."""

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or ""


class DetailList(serializers.ListField):
    """A list of the call details. Empty for a call without details."""

    def get_attribute(self, instance: Any) -> Any:
        return super().get_attribute(instance) or []


class CallEntrySerializer(EntrySerializer):
    kind = kind_field("call")
    direction = serializers.CharField(source="row.direction")
    user = serializers.IntegerField(source="author", allow_null=True, help_text="User who talked.")
    phone_line = serializers.IntegerField(source="row.phone_line_id", allow_null=True)
    status = serializers.CharField(source="row.status")
    duration_s = serializers.IntegerField(source="row.duration_s", allow_null=True)
    recording_url = serializers.CharField(source="row.recording_url")
    voicemail_url = serializers.CharField(source="row.voicemail_url")
    voicemail_transcript = DetailText(source="row.detail.voicemail_transcript")
    summary = DetailText(source="row.detail.summary")
    next_steps = DetailList(source="row.detail.next_steps")


class NoteEntrySerializer(EntrySerializer):
    """A note, a voicemail or an email."""

    kind = kind_field("note", "voicemail", "email")
    direction = serializers.CharField(source="row.direction")
    user = serializers.IntegerField(source="author", allow_null=True, help_text="User who wrote it.")
    body = serializers.CharField(source="row.body")


class AppointmentEntrySerializer(EntrySerializer):
    kind = kind_field("appointment")
    status = serializers.CharField(source="row.status")
    scheduled_end = serializers.DateTimeField(source="row.scheduled_end")
    assigned_rep = serializers.IntegerField(source="row.assigned_rep_id", allow_null=True)
    notes = serializers.CharField(source="row.notes")


class FlagEntrySerializer(EntrySerializer):
    kind = kind_field("flag")
    flag_type = serializers.CharField(source="row.flag_type")
    reason = serializers.CharField(source="row.reason")
    expires_at = serializers.DateTimeField(source="row.expires_at", allow_null=True)


class CampaignSendEntrySerializer(EntrySerializer):
    kind = kind_field("campaign_send")
    campaign = serializers.IntegerField(source="row.campaign_id")
    name = serializers.CharField(source="row.campaign.name")
    status = serializers.CharField(source="row.status")


SERIALIZERS: dict[str, Any] = {
    "message": MessageEntrySerializer,
    "call": CallEntrySerializer,
    "voicemail": NoteEntrySerializer,
    "email": NoteEntrySerializer,
    "note": NoteEntrySerializer,
    "appointment": AppointmentEntrySerializer,
    "flag": FlagEntrySerializer,
    "campaign_send": CampaignSendEntrySerializer,
}


class TimelinePagination(KeysetPagination):
    """Pages of a timeline, by cursor alone."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        return self.paginate(Timeline(queryset, user=cast(User, request.user)), request)

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        return [parameter for parameter in parameters if parameter["name"] in ("limit", "cursor")]


class TimelineViewSet(TenantViewSet):
    """Timeline of a contact, latest first: activities, appointments, flags and campaign messages."""

    resource = "contacts"
    model = Contact
    pagination_class = TimelinePagination
    filter_backends = ()  # a timeline has none of the lists' filters
    on_replica = True

    def known_parameters(self) -> set[str]:
        return {"limit", "cursor"}

    @extend_schema(
        operation_id="contacts_timeline",
        parameters=[OpenApiParameter("id", {"type": "integer", "format": "int64"}, OpenApiParameter.PATH)],
        responses=PolymorphicProxySerializer(
            component_name="TimelineEntry", serializers=SERIALIZERS, resource_type_field_name="kind", many=True
        ),
    )
    def timeline(self, request: Request, **kwargs: Any) -> Response:
        contact = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        entries = self.paginate_queryset(contact)
        return self.get_paginated_response(serialize(entries or []))


def serialize(entries: list[TimelineEntry]) -> list[Any]:
    """Serialize entries with one serializer a kind: building its fields takes longer than serializing an entry."""
    serializers_by_kind = {kind: SERIALIZERS[kind]() for kind in {entry.kind for entry in entries}}
    return [serializers_by_kind[entry.kind].to_representation(entry) for entry in entries]

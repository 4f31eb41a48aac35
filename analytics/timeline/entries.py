"""Entries of a timeline as the API shows them: one serializer for each kind.

Their sources are columns of the row that is shown: a message, a call, a note.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.companions import CampaignNameField, PhoneLineNameField, UserNameField


def kind_field(*kinds: str) -> Any:
    """Return a field whose OpenAPI pattern allows these kinds only, so that an entry matches one serializer."""

    class KindField(serializers.CharField):
        pass

    return extend_schema_field({"type": "string", "pattern": f"^({'|'.join(kinds)})$"})(KindField)()


class EntrySerializer(serializers.Serializer):
    kind = serializers.CharField()
    at = serializers.DateTimeField(help_text="Time of the event. Appointments: the scheduled start.")
    id = serializers.IntegerField(help_text="ID of the message, call, appointment, …")


class DetailText(serializers.CharField):
    """A string of the call details. Empty for a call without details."""

    missing = ""


class DetailList(serializers.ListField):
    """A list of the call details. Empty for a call without details."""

    missing: ClassVar[list[Any]] = []


class MessageEntrySerializer(EntrySerializer):
    kind = kind_field("message")
    direction = serializers.CharField()
    user = serializers.IntegerField(allow_null=True, help_text="User who wrote it.")
    user_name = UserNameField("user")
    phone_line = serializers.IntegerField(source="phone_line_id", allow_null=True)
    phone_line_name = PhoneLineNameField()
    body = serializers.CharField()
    media = serializers.ListField()
    status = serializers.CharField()
    error = serializers.CharField()
    campaign = serializers.IntegerField(
        source="membership.campaign_id", allow_null=True, help_text="The campaign that sent it."
    )
    campaign_name = CampaignNameField()


class CallEntrySerializer(EntrySerializer):
    kind = kind_field("call")
    direction = serializers.CharField()
    user = serializers.IntegerField(allow_null=True, help_text="User who talked.")
    user_name = UserNameField("user")
    phone_line = serializers.IntegerField(source="phone_line_id", allow_null=True)
    phone_line_name = PhoneLineNameField()
    status = serializers.CharField()
    duration_s = serializers.IntegerField(allow_null=True)
    recording_url = serializers.CharField()
    voicemail_url = serializers.CharField()
    voicemail_transcript = DetailText(source="detail.voicemail_transcript")
    summary = DetailText(source="detail.summary")
    next_steps = DetailList(source="detail.next_steps")


class NoteEntrySerializer(EntrySerializer):
    """A note, a voicemail or an email."""

    kind = kind_field("note", "voicemail", "email")
    direction = serializers.CharField()
    user = serializers.IntegerField(allow_null=True, help_text="User who wrote it.")
    user_name = UserNameField("user")
    body = serializers.CharField()


class AppointmentEntrySerializer(EntrySerializer):
    kind = kind_field("appointment")
    status = serializers.CharField()
    scheduled_end = serializers.DateTimeField()
    assigned_rep = serializers.IntegerField(source="assigned_rep_id", allow_null=True)
    assigned_rep_name = UserNameField("assigned_rep")
    notes = serializers.CharField()


class FlagEntrySerializer(EntrySerializer):
    kind = kind_field("flag")
    flag_type = serializers.CharField()
    reason = serializers.CharField()
    created_by = serializers.IntegerField(source="created_by_id", allow_null=True, help_text="User who set it.")
    created_by_name = UserNameField("created_by")
    expires_at = serializers.DateTimeField(allow_null=True)


class CampaignSendEntrySerializer(EntrySerializer):
    kind = kind_field("campaign_send")
    campaign = serializers.IntegerField(source="campaign_id")
    name = serializers.CharField(source="campaign.name", help_text="Name of the campaign.")
    status = serializers.CharField()


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

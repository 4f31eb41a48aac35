"""Entries of a timeline as the API shows them: one serializer for each kind.

Their sources are columns of the row that is shown: a message, a call, a note.
"""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from calls.choices import AppointmentStatus, CallStatus
from crm.api.companions import CampaignNameField, PhoneLineNameField, UserNameField
from crm.choices import Direction, FlagType, MembershipStatus
from messaging.api.threads import MEDIA, MediaField
from messaging.choices import MessageStatus


def kind_field(*kinds: str) -> Any:
    """Return a field that has these kinds only in the OpenAPI document, so that an entry matches one serializer."""

    class KindField(serializers.CharField):
        pass

    values: dict[str, Any] = {"enum": list(kinds)} if len(kinds) > 1 else {"const": kinds[0]}
    return extend_schema_field({"type": "string", **values})(KindField)(help_text="What the entry is.")


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
    direction = serializers.ChoiceField(choices=Direction.choices)
    user = serializers.IntegerField(allow_null=True, help_text="User who wrote it.")
    user_name = UserNameField("user")
    phone_line = serializers.IntegerField(source="phone_line_id", allow_null=True)
    phone_line_name = PhoneLineNameField()
    body = serializers.CharField()
    media = MediaField(help_text=MEDIA)
    status = serializers.ChoiceField(choices=MessageStatus.choices)
    error = serializers.CharField(help_text="Why it was not sent or delivered. May be empty.")
    campaign = serializers.IntegerField(
        source="membership.campaign_id", allow_null=True, help_text="The campaign that sent it."
    )
    campaign_name = CampaignNameField()


class CallEntrySerializer(EntrySerializer):
    kind = kind_field("call")
    direction = serializers.ChoiceField(choices=Direction.choices)
    user = serializers.IntegerField(allow_null=True, help_text="User who talked.")
    user_name = UserNameField("user")
    phone_line = serializers.IntegerField(source="phone_line_id", allow_null=True)
    phone_line_name = PhoneLineNameField()
    status = serializers.ChoiceField(choices=CallStatus.choices)
    duration_s = serializers.IntegerField(allow_null=True)
    recording_url = serializers.CharField()
    voicemail_url = serializers.CharField()
    voicemail_transcript = DetailText(source="detail.voicemail_transcript")
    summary = DetailText(source="detail.summary")
    next_steps = DetailList(
        source="detail.next_steps", child=serializers.CharField(), help_text="What was agreed. May be empty."
    )


class NoteEntrySerializer(EntrySerializer):
    """A note, a voicemail or an email."""

    kind = kind_field("note", "voicemail", "email")
    direction = serializers.ChoiceField(choices=Direction.choices, allow_blank=True, help_text="Empty for a note.")
    user = serializers.IntegerField(allow_null=True, help_text="User who wrote it.")
    user_name = UserNameField("user")
    body = serializers.CharField()


class AppointmentEntrySerializer(EntrySerializer):
    kind = kind_field("appointment")
    status = serializers.ChoiceField(choices=AppointmentStatus.choices)
    scheduled_end = serializers.DateTimeField()
    assigned_rep = serializers.IntegerField(source="assigned_rep_id", allow_null=True)
    assigned_rep_name = UserNameField("assigned_rep")
    notes = serializers.CharField()


class FlagEntrySerializer(EntrySerializer):
    kind = kind_field("flag")
    flag_type = serializers.ChoiceField(choices=FlagType.choices)
    reason = serializers.CharField()
    created_by = serializers.IntegerField(source="created_by_id", allow_null=True, help_text="User who set it.")
    created_by_name = UserNameField("created_by")
    expires_at = serializers.DateTimeField(allow_null=True)


class CampaignSendEntrySerializer(EntrySerializer):
    kind = kind_field("campaign_send")
    campaign = serializers.IntegerField(source="campaign_id")
    name = serializers.CharField(source="campaign.name", help_text="Name of the campaign.")
    status = serializers.ChoiceField(choices=MembershipStatus.choices)


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

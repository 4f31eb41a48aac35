"""`contacts/{id}/card`: what a caller card shows."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.card import MAX_TASKS, read_card
from calls.choices import AppointmentStatus, CallStatus
from crm.api.base.companions import add_companions, companions_of
from crm.api.base.lists import columns_of
from crm.api.base.views import TenantViewSet
from crm.api.contacts import ContactSerializer
from crm.choices import Direction, FlagType, LeadStatus, OptOutState
from crm.models import Contact


class CardContactSerializer(ContactSerializer):
    phones: Any = None  # beside the contact, with their details, as are the flags
    flags: Any = None
    opted_out: Any = None

    class Meta(ContactSerializer.Meta):
        fields = [name for name in ContactSerializer.Meta.fields if name not in ("phones", "flags", "opted_out")]


class CardPhoneSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField(help_text="E.164.")
    label = serializers.CharField(help_text='What the number is, such as "Work". May be empty.')  # type: ignore[assignment]
    is_main = serializers.BooleanField(help_text="Whether it is the contact's main number.")
    marketing_consent_at = serializers.DateTimeField(
        allow_null=True, help_text="Time of the valid consent to marketing messages. Null: there is none."
    )


class CardFlagSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    flag_type = serializers.ChoiceField(choices=FlagType.choices)
    review_state = serializers.CharField(help_text="As in `contact-flags`.")
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="End of the flag. Null: never.")


class CardLeadSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=LeadStatus.choices)
    source: Any = serializers.CharField()
    created_at = serializers.DateTimeField()


class CardAppointmentSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    scheduled_start = serializers.DateTimeField()
    scheduled_end = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=AppointmentStatus.choices)
    assigned_rep = serializers.IntegerField(allow_null=True)
    assigned_rep_name = serializers.CharField(allow_null=True)


class CardCallSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    direction = serializers.ChoiceField(choices=Direction.choices)
    status = serializers.ChoiceField(choices=CallStatus.choices)
    created_at = serializers.DateTimeField(help_text="Start of ringing.")
    duration_s = serializers.IntegerField(allow_null=True, help_text="Talk time in seconds; null if unanswered.")
    assigned_rep = serializers.IntegerField(allow_null=True)
    assigned_rep_name = serializers.CharField(allow_null=True)
    phone_line = serializers.IntegerField(allow_null=True)
    phone_line_name = serializers.CharField(allow_null=True)


class CardTaskSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    title = serializers.CharField(help_text="What is to be done.")
    due_at = serializers.DateTimeField(help_text="Time by which it is to be done.")
    assignee = serializers.IntegerField(allow_null=True)
    assignee_name = serializers.CharField(allow_null=True)


class CardSerializer(serializers.Serializer):
    contact = CardContactSerializer(help_text="The contact.")
    phones = CardPhoneSerializer(many=True, help_text="All numbers, in the order in which they were added.")
    flags = CardFlagSerializer(many=True, help_text="Flags in force.")
    opt_out = serializers.ChoiceField(
        choices=OptOutState.choices, help_text="Whether messages are blocked by an opt-out, confirmed or under review."
    )
    open_lead = CardLeadSerializer(
        allow_null=True, help_text="The latest lead that is neither won nor lost. Null: none."
    )
    next_appointment = CardAppointmentSerializer(
        allow_null=True, help_text="The next one, scheduled or confirmed. Null: none."
    )
    last_appointment = CardAppointmentSerializer(
        allow_null=True, help_text="The latest one that has begun and wasn't cancelled. Null: none."
    )
    open_tasks = CardTaskSerializer(many=True, help_text=f"Tasks that aren't done, the first {MAX_TASKS} by due time.")
    unread = serializers.IntegerField(help_text="Number of incoming messages that no user has read.")
    last_call = CardCallSerializer(allow_null=True, help_text="The latest call. Null: none.")


class CardViewSet(TenantViewSet):
    """A contact's card, for the moment when the phone rings."""

    resource = "contacts"
    model = Contact
    on_replica = True

    @extend_schema(
        responses=CardSerializer,
    )
    def card(self, request: Request, **kwargs: Any) -> Response:
        """Read the card of a contact.

        It has the contact with its numbers, tags, custom fields, flags in force, open lead, appointments, open tasks,
        unread messages and last call.

        A rep sees own calls, appointments and tasks only.
        """
        fields = [column.name for column in columns_of(CardContactSerializer)]
        card = read_card(int(self.kwargs["pk"]), fields, user=self.user)
        if card is None:
            raise Http404
        add_companions([card["contact"]], companions_of(CardContactSerializer), self.user)
        return Response(card)

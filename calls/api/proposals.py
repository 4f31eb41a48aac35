"""`appointment-proposals`: other times that reps propose for their appointments."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from calls.api.appointments import name_other
from calls.api.attachments import AppointmentField
from calls.choices import ProposalStatus
from calls.models import AppointmentProposal
from calls.services.booking import SlotTaken
from calls.services.proposals import accept_proposal, decline_proposal, propose_time, withdraw_proposal
from crm.api.base.filters import ChoicesFilter, ContactFilter, ContactFilterSet, RowFilter
from crm.api.base.serializers import BodySerializer, CompanyUserField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.error_codes import ErrorCode


class AppointmentProposalSerializer(TenantSerializer):
    appointment = AppointmentField(help_text="ID of the appointment.")
    contact = serializers.IntegerField(read_only=True, help_text="ID of the appointment's contact.")
    contact_summary = ContactSummaryField()
    created_by = CompanyUserField(read_only=True, help_text="ID of the rep who proposes it.")
    created_by_name = UserNameField("created_by")
    decided_by = CompanyUserField(
        read_only=True, allow_null=True, help_text="ID of the user who decided. Null: nobody has."
    )
    decided_by_name = UserNameField("decided_by", help_text="Name of that user. Null: nobody has.")

    class Meta:
        model = AppointmentProposal
        fields = [
            "id", "appointment", "contact", "contact_summary", "scheduled_start", "scheduled_end", "note", "status",
            "created_by", "created_by_name", "decided_by", "decided_by_name", "decided_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["status", "decided_at", "created_at", "updated_at"]
        extra_kwargs = {
            "scheduled_start": {"help_text": "Start that is proposed."},
            "scheduled_end": {"help_text": "End that is proposed."},
            "note": {"help_text": "Why, for who decides."},
            "decided_at": {"help_text": "Time of the decision. Null: it is open."},
        }

    def create(self, validated_data: dict[str, Any]) -> AppointmentProposal:
        return propose_time(user=self.context["request"].user, **validated_data)


class AcceptSerializer(BodySerializer):
    allow_overlap = serializers.BooleanField(
        default=False, help_text="Whether to accept although the rep has another appointment then."
    )


class AppointmentProposalFilterSet(ContactFilterSet):
    contact = ContactFilter(field_name="appointment__contact")
    appointment = RowFilter(field_name="appointment", label="Proposals for the appointment with this ID.")
    status = ChoicesFilter(choices=ProposalStatus.choices)


class AppointmentProposalViewSet(CreateReadViewSet):
    """Other times that reps propose for their own appointments, newest first. Managers may do so for any.

    An appointment has one open proposal (400, `unique`) and keeps its time until a CSR or a manager accepts. A decided
    one stays as it is (409, `proposal_decided`). Open ones are a notice, `reschedule_proposals`.
    """

    resource = "appointment-proposals"
    model = AppointmentProposal
    serializer_class = AppointmentProposalSerializer
    filterset_class = AppointmentProposalFilterSet
    refusals = {
        "create": (ErrorCode.OUT_OF_RANGE, ErrorCode.NOT_COMING),
        "accept": (ErrorCode.PROPOSAL_DECIDED, ErrorCode.NOT_COMING, ErrorCode.SLOT_TAKEN),
        "decline": (ErrorCode.PROPOSAL_DECIDED,),
        "withdraw": (ErrorCode.PROPOSAL_DECIDED,),
    }

    def get_rows(self) -> Any:
        return AppointmentProposal.objects.with_contact()

    def handle_exception(self, exc: Exception) -> Response:
        context = self.get_serializer_context()
        return super().handle_exception(name_other(exc, context) if isinstance(exc, SlotTaken) else exc)

    def perform_create(self, serializer: serializers.BaseSerializer) -> None:
        serializer.save()

    @extend_schema(request=AcceptSerializer, responses=AppointmentProposalSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, **kwargs: Any) -> Response:
        """Move the appointment to the proposed time, with its reminders."""
        body = AcceptSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        row = self.get_object()
        accept_proposal(proposal=row, user=self.user, **body.validated_data)
        return self.row_response(row.pk)

    @extend_schema(request=None, responses=AppointmentProposalSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def decline(self, request: Request, **kwargs: Any) -> Response:
        """Leave the appointment as it is."""
        row = self.get_object()
        decline_proposal(proposal=row, user=self.user)
        return self.row_response(row.pk)

    @extend_schema(request=None, responses=AppointmentProposalSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Take back the own proposal."""
        row = self.get_object()
        withdraw_proposal(proposal=row, user=self.user)
        return self.row_response(row.pk)

"""`campaigns` and `campaign-memberships`."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from crm.api.base.companions import Companion
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, ListFilterSet, RowFilter
from crm.api.base.serializers import BodySerializer, CompanyUserField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, DeleteMixin, FullViewSet, without_body
from crm.api.companions import CampaignNameField, ContactSummaryField, PhoneLineNameField, UserNameField
from crm.choices import CampaignStatus, MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership, CampaignStep, User
from crm.recurrence import InvalidRule
from messaging.api.audience import AudienceMixin
from messaging.services.campaigns.audience import add_member
from messaging.services.campaigns.count_rows import count_by_status
from messaging.services.campaigns.deletion import delete_campaign, delete_membership
from messaging.services.campaigns.drafts import MAX_DELAY_MINUTES, MAX_STEPS, change_campaign, set_steps
from messaging.services.campaigns.recurrence import check_recurrence
from messaging.services.campaigns.runs import cancel_campaign, pause_campaign, resume_campaign, start_campaign
from messaging.services.outbound.send_policy import MAX_BODY
from messaging.services.segments.schema import FAULT_CODES


class ProgressSerializer(serializers.Serializer):
    """Number of memberships by status."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            status.value: serializers.IntegerField(help_text=f"Contacts whose membership is {status.label.lower()}.")
            for status in MembershipStatus
        }


@extend_schema_field(ProgressSerializer)
class ProgressField(Companion):
    """The memberships of a campaign, counted by status."""

    missing: ClassVar = dict.fromkeys(MembershipStatus.values, 0)

    def __init__(self) -> None:
        super().__init__("id", help_text="Number of memberships by status, those of all steps.")

    def load(self, keys: set[int], user: User) -> dict[int, dict[str, int]]:
        return count_by_status(keys)


class CampaignStepSerializer(BodySerializer):
    """A further message of a sequence."""

    delay_minutes = serializers.IntegerField(
        min_value=1, max_value=MAX_DELAY_MINUTES, help_text="Time after the step before was sent."
    )
    body = serializers.CharField(max_length=MAX_BODY, help_text="The text, with placeholders as the campaign's.")


class CampaignStepsSerializer(BodySerializer):
    """All further messages of a sequence, in their order."""

    steps = serializers.ListField(
        child=CampaignStepSerializer(), max_length=MAX_STEPS, help_text="The messages, in their order. Empty: none."
    )


@extend_schema_field(CampaignStepSerializer(many=True))
class StepsField(Companion):
    """The further messages of a campaign, in their order."""

    missing: ClassVar = []

    def __init__(self) -> None:
        super().__init__("id", help_text="Further messages of a sequence, in their order.")

    def load(self, keys: set[int], user: User) -> dict[int, list[dict[str, Any]]]:
        steps = CampaignStep.objects.filter(campaign__in=keys).order_by("campaign", "step")
        found: dict[int, list[dict[str, Any]]] = {}
        for campaign, delay_minutes, body in steps.values_list("campaign", "delay_minutes", "body"):
            found.setdefault(campaign, []).append({"delay_minutes": delay_minutes, "body": body})
        return found


class CampaignSerializer(TenantSerializer):
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")
    started_by_name = UserNameField("started_by")
    phone_line_name = PhoneLineNameField()
    steps = StepsField()
    progress = ProgressField()

    class Meta:
        model = Campaign
        fields = [
            "id", "name", "status", "status_reason", "purpose", "body", "body_b", "steps", "phone_line",
            "phone_line_name", "segment", "daily_limit", "scheduled_at", "recurrence", "previous_run", "created_by",
            "created_by_name", "started_at", "started_by", "started_by_name", "resumed_at", "ended_at", "progress",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = [
            "status", "status_reason", "previous_run", "started_at", "started_by", "resumed_at", "ended_at",
            "created_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs = {
            "body": {"max_length": MAX_BODY},
            "body_b": {"max_length": MAX_BODY},
            "daily_limit": {"min_value": 1},
            "scheduled_at": {"help_text": "Time when a started campaign begins to send. Null: at once."},
            "started_at": {"help_text": "Time when the first message could leave. Null: not started."},
            "started_by": {"help_text": "ID of the user who started it. Null: not started, or a program did."},
            "resumed_at": {
                "help_text": "Time of the last resumption, from which the alarms count. Null: never paused."
            },
            "ended_at": {"help_text": "Time when it was completed or cancelled. Null: it hasn't ended."},
            "segment": {"help_text": "ID of the segment. Each recurring run takes its contacts from it. Null: none."},
            "previous_run": {"help_text": "ID of the campaign that ran before, of a recurring campaign. Null: none."},
        }

    def update(self, instance: Campaign, validated_data: dict[str, Any]) -> Campaign:
        return change_campaign(campaign=instance, **validated_data)

    def validate_recurrence(self, rule: str) -> str:
        try:
            check_recurrence(rule=rule)
        except InvalidRule as error:
            raise serializers.ValidationError(str(error), error.code) from error
        return rule


class CampaignFilterSet(ListFilterSet):
    status = ChoicesFilter(choices=CampaignStatus.choices)


NOT_READY = (
    ErrorCode.NO_BODY,
    ErrorCode.NO_PHONE_LINE,
    ErrorCode.NO_MEMBERS,
    ErrorCode.PAST_SCHEDULE,
    ErrorCode.LINE_PAUSED,
    ErrorCode.LINE_WITHOUT_NUMBER,
    ErrorCode.MESSAGE_EMPTY,
    ErrorCode.MESSAGE_TOO_LONG,
    ErrorCode.UNRESOLVED_PLACEHOLDER,
    ErrorCode.INVALID_RECURRENCE,
)


class CampaignViewSet(AudienceMixin, FullViewSet):
    """Messages to many contacts. What is sent changes only while the campaign is a draft (409, `not_a_draft`).

    A campaign that was sent to anyone can't be deleted (409).
    """

    resource = "campaigns"
    model = Campaign
    serializer_class = CampaignSerializer
    refusals = {
        "audience": (*FAULT_CODES, ErrorCode.AUDIENCE_CLOSED, ErrorCode.MERGED),
        "partial_update": (ErrorCode.NOT_A_DRAFT, ErrorCode.INVALID_RECURRENCE),
        "create": (ErrorCode.INVALID_RECURRENCE,),
        "destroy": (ErrorCode.WRONG_STATUS,),
        "start": (ErrorCode.WRONG_STATUS, *NOT_READY),
        "resume": (ErrorCode.WRONG_STATUS, ErrorCode.LINE_PAUSED),
        "steps": (ErrorCode.NOT_A_DRAFT,),
        **dict.fromkeys(["pause", "cancel"], (ErrorCode.WRONG_STATUS,)),
    }
    filterset_class = CampaignFilterSet

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and self.action != "audience"

    def perform_destroy(self, instance: Campaign) -> None:
        delete_campaign(campaign=instance)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)

    @extend_schema(request=CampaignStepsSerializer, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def steps(self, request: Request, **kwargs: Any) -> Response:
        """Replace the further messages of a draft. A contact who replies, books or opts out gets no further one."""
        campaign = self.get_object()
        body = CampaignStepsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        set_steps(campaign=campaign, steps=body.validated_data["steps"])
        return self.row_response(campaign.pk)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def start(self, request: Request, **kwargs: Any) -> Response:
        """Start a draft, or schedule it if `scheduled_at` is ahead. `detail` of a refusal says what to do."""
        return self.row_response(start_campaign(campaign=self.get_object(), user=self.user).pk)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def pause(self, request: Request, **kwargs: Any) -> Response:
        """Pause a running campaign. Messages that have not left wait. A scheduled campaign is a draft again."""
        return self.row_response(pause_campaign(campaign=self.get_object()).pk)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def resume(self, request: Request, **kwargs: Any) -> Response:
        """Resume a paused campaign. If it paused itself, look at `status_reason` first: its alarms count anew."""
        return self.row_response(resume_campaign(campaign=self.get_object()).pk)

    @extend_schema(request=None, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """End a campaign for good. Contacts who have not got the message are skipped."""
        return self.row_response(cancel_campaign(campaign=self.get_object()).pk)


class CampaignMembershipSerializer(TenantSerializer):
    campaign_name = CampaignNameField()
    contact_summary = ContactSummaryField()

    class Meta:
        model = CampaignMembership
        fields = [
            "id", "campaign", "campaign_name", "contact", "contact_summary", "status", "reason", "sent_at",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["status", "reason", "sent_at", "created_at", "updated_at"]  # evidence, which sending writes


class CampaignMembershipFilterSet(ContactFilterSet):
    campaign = RowFilter(field_name="campaign")
    status = ChoicesFilter(choices=MembershipStatus.choices)


class CampaignMembershipViewSet(DeleteMixin, CreateReadViewSet):
    """Contacts in campaigns, with their progress.

    A contact joins before the start (409, `audience_closed`). Only a pending membership can be deleted (409).
    """

    resource = "campaign-memberships"
    model = CampaignMembership
    serializer_class = CampaignMembershipSerializer
    refusals = {"create": (ErrorCode.AUDIENCE_CLOSED,), "destroy": (ErrorCode.MEMBERSHIP_KEPT,)}
    filterset_class = CampaignMembershipFilterSet

    def perform_create(self, serializer: BaseSerializer) -> None:
        campaign, contact = serializer.validated_data["campaign"], serializer.validated_data["contact"]
        serializer.instance = add_member(campaign_id=campaign.pk, contact=contact)

    def perform_destroy(self, instance: CampaignMembership) -> None:
        delete_membership(membership=instance)

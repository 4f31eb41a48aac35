"""`campaigns` and `campaign-memberships`."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import BaseSerializer

from crm.api.base.companions import Companion
from crm.api.base.filters import ChoicesFilter, ContactFilterSet, ListFilterSet, RowFilter
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, DeleteMixin, FullViewSet
from crm.api.companions import CampaignNameField, ContactSummaryField, PhoneLineNameField, UserNameField
from crm.choices import CampaignStatus, MembershipStatus
from crm.error_codes import ErrorCode
from crm.models import Campaign, CampaignMembership, User
from messaging.api.audience import AudienceMixin
from messaging.services.campaigns.count_rows import count_by_status
from messaging.services.campaigns.deletion import delete_campaign, delete_membership
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


class CampaignSerializer(TenantSerializer):
    created_by = CompanyUserField(read_only=True, allow_null=True)
    created_by_name = UserNameField("created_by")
    phone_line_name = PhoneLineNameField()
    progress = ProgressField()

    class Meta:
        model = Campaign
        fields = [
            "id", "name", "status", "body", "phone_line", "phone_line_name", "scheduled_at", "created_by",
            "created_by_name", "progress", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"scheduled_at": {"help_text": "Time when sending starts. Null: not scheduled."}}


class CampaignFilterSet(ListFilterSet):
    status = ChoicesFilter(choices=CampaignStatus.choices)


class CampaignViewSet(AudienceMixin, FullViewSet):
    """Messages to many contacts. A campaign that was sent to anyone can't be deleted (409)."""

    resource = "campaigns"
    model = Campaign
    refusals = {"audience": (*FAULT_CODES, ErrorCode.AUDIENCE_CLOSED)}
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilterSet

    def perform_destroy(self, instance: Campaign) -> None:
        delete_campaign(campaign=instance)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)


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
    """Contacts in campaigns, with their progress. Only a pending membership can be deleted (409)."""

    resource = "campaign-memberships"
    model = CampaignMembership
    serializer_class = CampaignMembershipSerializer
    refusals = {"destroy": (ErrorCode.MEMBERSHIP_KEPT,)}
    filterset_class = CampaignMembershipFilterSet

    def perform_destroy(self, instance: CampaignMembership) -> None:
        delete_membership(membership=instance)

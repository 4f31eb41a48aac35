"""`campaigns` and `campaign-memberships`."""

import django_filters
from rest_framework.serializers import BaseSerializer

from crm.api.base.errors import Conflict
from crm.api.base.filters import ContactFilterSet, IdFilter
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import CreateReadViewSet, DeleteMixin, FullViewSet
from crm.choices import CampaignStatus, MembershipStatus
from crm.models import Campaign, CampaignMembership
from crm.services.campaigns import MembershipKept, delete_campaign, delete_membership


class CampaignSerializer(TenantSerializer):
    created_by = CompanyUserField(read_only=True, allow_null=True)

    class Meta:
        model = Campaign
        fields = [
            "id", "name", "status", "body", "phone_line", "scheduled_at", "created_by", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]


class CampaignFilterSet(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=CampaignStatus.choices)


class CampaignViewSet(FullViewSet):
    """Messages to many contacts. A campaign that was sent to anyone can't be deleted (409)."""

    resource = "campaigns"
    model = Campaign
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilterSet

    def perform_destroy(self, instance: Campaign) -> None:
        delete_campaign(campaign=instance)

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)


class CampaignMembershipSerializer(TenantSerializer):
    class Meta:
        model = CampaignMembership
        fields = ["id", "campaign", "contact", "status", "reason", "sent_at", "created_at"]
        read_only_fields = ["status", "reason", "sent_at", "created_at"]  # evidence, which sending writes


class CampaignMembershipFilterSet(ContactFilterSet):
    campaign = IdFilter(field_name="campaign_id")
    status = django_filters.ChoiceFilter(choices=MembershipStatus.choices)


class CampaignMembershipViewSet(DeleteMixin, CreateReadViewSet):
    """Contacts in campaigns, with their progress. Only a pending membership can be deleted (409)."""

    resource = "campaign-memberships"
    model = CampaignMembership
    serializer_class = CampaignMembershipSerializer
    filterset_class = CampaignMembershipFilterSet

    def perform_destroy(self, instance: CampaignMembership) -> None:
        try:
            delete_membership(membership=instance)
        except MembershipKept as error:
            raise Conflict(str(error)) from error

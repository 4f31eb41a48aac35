"""`campaigns` and `campaign-memberships`."""

import django_filters
from rest_framework.serializers import BaseSerializer

from crm.api.base.filters import ContactFilterSet, IdFilter
from crm.api.base.serializers import CompanyUserField, TenantSerializer
from crm.api.base.views import FullViewSet
from crm.choices import CampaignStatus, MembershipStatus
from crm.models import Campaign, CampaignMembership


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
    """Messages to many contacts."""

    resource = "campaigns"
    model = Campaign
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilterSet

    def perform_create(self, serializer: BaseSerializer) -> None:
        serializer.save(company_id=self.user.company_id, created_by=self.user)


class CampaignMembershipSerializer(TenantSerializer):
    class Meta:
        model = CampaignMembership
        fields = ["id", "campaign", "contact", "status", "reason", "sent_at", "created_at"]
        read_only_fields = ["created_at"]


class CampaignMembershipFilterSet(ContactFilterSet):
    campaign = IdFilter(field_name="campaign_id")
    status = django_filters.ChoiceFilter(choices=MembershipStatus.choices)


class CampaignMembershipViewSet(FullViewSet):
    """Contacts in campaigns, with their progress."""

    resource = "campaign-memberships"
    model = CampaignMembership
    serializer_class = CampaignMembershipSerializer
    filterset_class = CampaignMembershipFilterSet

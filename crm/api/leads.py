"""`leads`: contacts' wishes to buy."""

from dataclasses import asdict
from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from crm.api.base.filters import ChoicesFilter, ContactFilterSet, RowFilter, YesNoFilter
from crm.api.base.serializers import AssignableUserField, TenantSerializer
from crm.api.base.views import FullViewSet, without_body
from crm.api.companions import ContactSummaryField, UserNameField
from crm.choices import LeadStatus
from crm.error_codes import ErrorCode
from crm.models import Lead
from crm.services.leads import claim_lead, read_stages, release_lead

ASSIGNEE = (
    "ID of the manager or CSR who works on it. A CSR takes a new lead by their own ID, and others by `claim` and "
    "`release`; managers also assign it to colleagues here."
)


class LeadSerializer(TenantSerializer):
    contact_summary = ContactSummaryField()
    assignee = AssignableUserField(required=False, allow_null=True, help_text=ASSIGNEE)
    assignee_name = UserNameField("assignee", help_text="Name of that user.")

    class Meta:
        model = Lead
        fields = [
            "id", "contact", "contact_summary", "status", "source", "value", "assignee", "assignee_name", "notes",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]
        fixed_fields = ["contact"]  # its calls and appointments are of the same contact
        extra_kwargs = {
            "source": {"help_text": "Where it comes from, such as `referral`. Conversion is counted by this text."},
            "value": {"help_text": "What the sale is worth, in the company's currency. Null: unknown."},
        }


class LeadStageSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=LeadStatus.choices, help_text="The status that the lead got.")
    at = serializers.DateTimeField(help_text="Time of the change.")
    user = serializers.IntegerField(allow_null=True, help_text="ID of the user who did it. Null: a program.")
    user_name = serializers.CharField(help_text="Username or program at that time. Empty: unknown.")


class LeadStagesSerializer(serializers.Serializer):
    stages = LeadStageSerializer(many=True, help_text="The oldest first. The last one is the present status.")


class LeadFilterSet(ContactFilterSet):
    status = ChoicesFilter(choices=LeadStatus.choices)
    source = django_filters.CharFilter(max_length=100, label="Exactly this source.")
    assignee = RowFilter(field_name="assignee", me=True, none=True)
    pool = YesNoFilter(method="by_pool")

    def by_pool(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.pool() if value else queryset.outside_pool()


class LeadViewSet(FullViewSet):
    """Contacts' wishes to buy.

    The *pool* has those that nobody works on: neither assigned nor booked, won or lost. A manager or CSR claims them.
    """

    resource = "leads"
    model = Lead
    serializer_class = LeadSerializer
    filterset_class = LeadFilterSet
    refusals = {
        "claim": (ErrorCode.CLAIMED, ErrorCode.LEAD_CLOSED),
        "release": (ErrorCode.NOT_YOURS, ErrorCode.LEAD_CLOSED),
    }

    @property
    def has_etag(self) -> bool:  # type: ignore[override]
        return super().has_etag and self.action != "stages"

    @extend_schema(request=None, responses=LeadSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def claim(self, request: Request, **kwargs: Any) -> Response:
        """Take a lead that nobody works on. One's own stays unchanged, a colleague's is a 409."""
        lead = self.get_object()
        claim_lead(lead=lead, user=self.user)
        return self.row_response(lead.pk)

    @extend_schema(request=None, responses=LeadSerializer)
    @action(detail=True, methods=["post"])
    @without_body
    def release(self, request: Request, **kwargs: Any) -> Response:
        """Give the own lead back. Managers do so with anybody's."""
        lead = self.get_object()
        release_lead(lead=lead, user=self.user)
        return self.row_response(lead.pk)

    @extend_schema(responses=LeadStagesSerializer)
    @action(detail=True, methods=["get"])
    def stages(self, request: Request, **kwargs: Any) -> Response:
        """List the stages of a lead: which status it got, when and by whom."""
        return Response({"stages": [asdict(stage) for stage in read_stages(lead=self.get_object())]})

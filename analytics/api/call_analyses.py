"""`call-analyses`: results of analysing calls."""

from rest_framework import serializers

from analytics.models import CallAnalysis
from crm.api.base.filters import ContactFilter, ContactFilterSet, ContactSearchFilter, RowFilter
from crm.api.base.pagination import orders_by
from crm.api.base.serializers import TenantSerializer
from crm.api.base.views import CreateReadViewSet
from crm.api.companions import ContactSummaryField


class CallAnalysisSerializer(TenantSerializer):
    contact = serializers.IntegerField(
        source="call.contact_id", read_only=True, allow_null=True, help_text="The contact of the call."
    )
    contact_summary = ContactSummaryField()
    objections = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=50,
        help_text='Reasons against buying, such as ["price", "timing"].',
    )

    class Meta:
        model = CallAnalysis
        fields = [
            "id", "call", "contact", "contact_summary", "objections", "sentiment", "outcome", "summary", "analyzed_at",
        ]  # fmt: skip
        extra_kwargs = {
            "sentiment": {"help_text": "The contact's mood. Empty: unknown."},
            "analyzed_at": {"help_text": "Time of the analysis. The latest one of a call counts."},
        }


class CallAnalysisFilterSet(ContactFilterSet):
    day_field = "analyzed_at"
    contact = ContactFilter(field_name="call__contact")
    search = ContactSearchFilter(field_name="call__contact")
    call = RowFilter(field_name="call")


class CallAnalysisViewSet(CreateReadViewSet):
    """Analyses of calls, latest first. A call may have several; the latest counts."""

    resource = "call-analyses"
    model = CallAnalysis
    serializer_class = CallAnalysisSerializer
    filterset_class = CallAnalysisFilterSet
    orders = orders_by("analyzed_at")

"""What staff see of analyses."""

from django.contrib import admin

from analytics.models import CallAnalysis
from crm.admin.base import RowAdmin
from crm.admin.columns import badge, moment
from crm.admin.search import ExactSearch


@admin.register(CallAnalysis)
class CallAnalysisAdmin(ExactSearch, RowAdmin):
    list_display = (moment("analyzed_at"), "call", "labels", badge("sentiment"), "outcome", "company")
    list_select_related = ("call", "company")
    list_filter = ("sentiment", "company")
    time_field = "analyzed_at"
    search_ids = ("pk", "call")
    search_contact = ""
    search_help_text = "The id of the analysis, or of its call."
    autocomplete_fields = ("company",)
    raw_id_fields = ("call",)
    fields = ("company", "call", "objections", "sentiment", "outcome", "summary", "analyzed_at")

    @admin.display(description="objections")
    def labels(self, analysis: CallAnalysis) -> str:
        return ", ".join(analysis.objections)

"""What staff see of analyses, their objections, and calls counted ahead."""

from django.contrib import admin

from analytics.models import CallAnalysis, CallDay, CallObjection, CallRollup, StaleCallHour
from crm.admin.base import EvidenceAdmin, RowAdmin
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


@admin.register(CallDay)
class CallDayAdmin(EvidenceAdmin):
    list_display = ("day", "company", "total", "qualified", "booked", "lost", "lost_value")
    list_select_related = ("company",)
    list_filter = ("company",)
    time_field = "day"


@admin.register(CallRollup)
class CallRollupAdmin(EvidenceAdmin):
    list_display = ("company", "folded_until", "timezone", "version")
    list_select_related = ("company",)
    fields = ("company", "folded_until", "timezone", "version")


@admin.register(StaleCallHour)
class StaleCallHourAdmin(EvidenceAdmin):
    list_display = ("hour", "company")
    list_select_related = ("company",)
    list_filter = ("company",)
    time_field = "hour"
    fields = ("company", "hour")


@admin.register(CallObjection)
class CallObjectionAdmin(ExactSearch, EvidenceAdmin):
    list_display = (moment("analyzed_at"), "label", "call", "company")
    list_select_related = ("call", "company")
    list_filter = ("company",)
    time_field = "analyzed_at"
    search_ids = ("pk", "call")
    search_contact = ""
    search_help_text = "The id of the row, or of its call."
    fields = ("company", "call", "label", "analyzed_at")

"""Admin for call analyses, objections, rollups and archives."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics.admin.objections import chosen_labels, objections_field, offer_labels, other_field
from analytics.models import (
    ArchivedCalls,
    ArchivedChunk,
    ArchivedObjections,
    CallAnalysis,
    CallDay,
    CallObjection,
    CallRollup,
    LeadDay,
    ObjectionDay,
    StaleCallHour,
)
from calls.models import Call
from crm.admin.base.columns import badge, moment, money, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin
from crm.admin.base.search import ExactSearch
from crm.form_fields import is_id


class CallAnalysisForm(RowForm):
    """Objections are chosen from the company's labels; a new one is typed as a word."""

    objections = objections_field()
    other_objection = other_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "objections" in self.fields:
            self.own = offer_labels(self, self.instance.objections, self.instance.company_id)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        cleaned["objections"] = chosen_labels(cleaned, self.own)
        return cleaned


@admin.register(CallAnalysis)
class CallAnalysisAdmin(ExactSearch, RowAdmin):
    form = CallAnalysisForm
    list_display = (moment("analyzed_at"), "call", "labels", badge("sentiment"), "outcome", "company")
    list_select_related = ("call", "company")
    list_filter = ("sentiment", "analyzed_at", "company")
    time_field = "analyzed_at"
    search_ids = ("pk", "call")
    search_plain_ids = True
    search_contact = ""
    search_help_text = "The ID of the analysis or of its call."
    autocomplete_fields = ("company",)
    raw_id_fields = ("call",)
    fields = ("company", "call", "objections", "other_objection", "sentiment", "outcome", "summary", "analyzed_at")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the call of `?call=`, as its page does."""
        call = request.GET.get("call", "")
        found = Call.objects.filter(pk=call).first() if is_id(call) else None
        return {"call": found.pk, "company": found.company_id} if found else {}

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fields(request, obj)
        return ("company", "call", "labels", "sentiment", "outcome", "summary", "analyzed_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "labels")

    @admin.display(description="objections")
    def labels(self, analysis: CallAnalysis) -> str:
        return ", ".join(analysis.objections)


@admin.register(CallDay)
class CallDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "company", "total", "qualified", "booked", "lost", money("lost_value"))
    list_select_related = ("company",)
    list_filter = ("day", "company")
    time_field = "day"


@admin.register(LeadDay)
class LeadDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "company", "source", "assignee_id", "leads", "booked", "won", "lost", money("won_value"))
    list_select_related = ("company",)
    list_filter = ("day", "company")
    time_field = "day"


@admin.register(ObjectionDay)
class ObjectionDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "company", "label", "calls", "calls_by_first_label")
    list_select_related = ("company",)
    list_filter = ("day", "company")
    time_field = "day"


@admin.register(CallRollup)
class CallRollupAdmin(ReadOnlyAdmin):
    list_display = ("company", "rolled_up_until", "timezone", "tries", "error")
    list_select_related = ("company",)
    fields = ("company", "rolled_up_until", "timezone", "version", "tries", "run_at", "error")


@admin.register(StaleCallHour)
class StaleCallHourAdmin(ReadOnlyAdmin):
    list_display = ("hour", "company")
    list_select_related = ("company",)
    list_filter = ("company",)
    time_field = "hour"
    fields = ("company", "hour")


@admin.register(CallObjection)
class CallObjectionAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("analyzed_at"), "label", "call", "company")
    list_select_related = ("call", "company")
    list_filter = ("analyzed_at", "company")
    time_field = "analyzed_at"
    search_ids = ("pk", "call")
    search_plain_ids = True
    search_contact = ""
    search_help_text = "The ID of the objection or of its call."
    fields = ("company", "call", "label", "analyzed_at")


@admin.register(ArchivedCalls)
class ArchivedCallsAdmin(ReadOnlyAdmin):
    list_display = (moment("quarter_hour"), "company", "total", "qualified", "booked", "lost", money("lost_value"))
    list_select_related = ("company",)
    list_filter = ("company",)
    time_field = "quarter_hour"


@admin.register(ArchivedObjections)
class ArchivedObjectionsAdmin(ReadOnlyAdmin):
    list_display = (moment("quarter_hour"), "label", "calls", "company")
    list_select_related = ("company",)
    list_filter = ("company",)
    time_field = "quarter_hour"
    fields = ("company", "quarter_hour", "label", "calls")


@admin.register(ArchivedChunk)
class ArchivedChunkAdmin(ReadOnlyAdmin):
    """Admin for archive files. Delete one only if its files were destroyed: an erasure requires every file."""

    list_display = (moment("created_at"), "archive", "number", "bundle", "company", moment("restored_at"))
    list_select_related = ("company",)
    list_filter = ("bundle", "company")
    fields = ("company", "archive", "number", "bundle", "folder", "cut_off", "files_shown", "created_at", "restored_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return RowAdmin.has_delete_permission(self, request, obj)

    @admin.display(description="files")
    def files_shown(self, chunk: ArchivedChunk) -> SafeString:
        return pretty_json(chunk.files)

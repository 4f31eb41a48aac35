"""Admin for call analyses, objections, rollups and archives."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from analytics.choices import COMMON_OBJECTIONS
from analytics.models import (
    ArchivedCalls,
    ArchivedChunk,
    ArchivedObjections,
    CallAnalysis,
    CallDay,
    CallObjection,
    CallRollup,
    StaleCallHour,
)
from analytics.models.objections import MAX_LABEL
from crm.admin.base.columns import badge, moment, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin
from crm.admin.base.search import ExactSearch

MAX_READ = 2000  # objections whose labels are offered
MAX_OFFERED = 60


class CallAnalysisForm(RowForm):
    """Objections are chosen from the company's labels; a new one is typed as a word."""

    objections = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    other_objection = forms.CharField(
        required=False, max_length=MAX_LABEL, help_text="A label that isn't in the list, such as warranty."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = {normalize_label(label): label for label in self.instance.objections}
        if "objections" in self.fields:
            self.initial["objections"] = list(self.own)
            known = known_labels(self.instance.company_id) if self.instance.company_id else set()
            choices = sorted({*COMMON_OBJECTIONS, *known, *self.own})
            cast(forms.MultipleChoiceField, self.fields["objections"]).choices = [(label, label) for label in choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        chosen = dict.fromkeys(cleaned.get("objections", []))
        if other := normalize_label(cleaned.get("other_objection", "")):
            chosen[other] = None
        cleaned["objections"] = [self.own.get(label, label) for label in chosen]  # unchanged ones stay as analyzed
        return cleaned


def normalize_label(label: str) -> str:
    """Return the label as the dashboard counts it."""
    return label.strip().lower()[:MAX_LABEL]


def known_labels(company_id: int) -> set[str]:
    """Return labels of the company's latest objections, few enough for one page."""
    latest = CallObjection.objects.filter(company=company_id).order_by("-analyzed_at").values_list("label", flat=True)
    return set(list(dict.fromkeys(latest[:MAX_READ]))[:MAX_OFFERED])


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
    list_display = ("day", "company", "total", "qualified", "booked", "lost", "lost_value")
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
    list_display = (moment("quarter_hour"), "company", "total", "qualified", "booked", "lost", "lost_value")
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

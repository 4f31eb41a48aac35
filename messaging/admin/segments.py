"""Admin for segments, with a builder of definitions and a preview."""

import json
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse_lazy
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_GET, require_POST

from crm.admin.base.columns import moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Campaign, Company, Contact, Segment
from crm.search_keys import is_long_enough
from messaging.services.campaigns.audience_checks import LeftOut
from messaging.services.segments.nodes import NODES
from messaging.services.segments.preview import preview_of
from messaging.services.segments.schema import SCHEMA, InvalidDefinition, check_definition

UNREADABLE = (RecursionError, ValueError)  # JSON that is nested too deeply, or has a number of thousands of digits


# The parts of conditions that are IDs of rows, which the builder finds by name.
REFERENCES = {
    f"{node.name}.{part}": model
    for node in NODES.values()
    for model, parts in (
        ("campaign", node.campaign_ids),
        ("contact", node.contact_ids),
        ("contactlist", node.list_ids),
        ("tag", node.tag_ids),
    )
    for part in parts
}
MAX_CHOICES = 20
MAX_NAMES = 100


class DefinitionFormField(forms.JSONField):
    """A definition as JSON, which the page's script lets people build row by row."""

    default_error_messages = {"invalid": "Enter valid JSON.", "required": "Choose a condition."}

    def __init__(self, **options: Any) -> None:
        attrs = {
            "data-segment-schema": json.dumps(SCHEMA),
            "data-preview-url": reverse_lazy("admin:crm_segment_preview"),
            "data-choices-url": reverse_lazy("admin:crm_segment_choices"),
            "data-references": json.dumps(REFERENCES),
            "rows": 6,
        }
        super().__init__(**options, widget=forms.Textarea(attrs=attrs))

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except UNREADABLE as error:
            raise forms.ValidationError(self.error_messages["invalid"], params={"value": ""}) from error

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except UNREADABLE:
            return InvalidJSONInput(data)


class SegmentForm(RowForm):
    definition = DefinitionFormField(label="Conditions")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.initial["definition"] = {"all": []}
        if self.instance.company_id:  # read-only then, so the page has no field of it
            self.fields["definition"].widget.attrs["data-company"] = self.instance.company_id

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.company and "definition" in cleaned:
            try:
                with tenant(self.company.pk):
                    check_definition(cleaned["definition"])
            except InvalidDefinition as error:
                self.add_error("definition", sentences_of_faults(error))
        return cleaned


@admin.register(Segment)
class SegmentAdmin(RowAdmin):
    """Admin for thousands of rows: every column may be searched and sorted."""

    form = SegmentForm
    list_display = ("name", "company", "created_by", moment("created_at"))
    list_select_related = ("company", "created_by")
    list_filter = ("company",)
    search_fields = ("name",)
    sortable_by = None
    autocomplete_fields = ("company",)
    readonly_fields = ("preview", "created_by", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("company", "name", "definition", "preview")}),
        ("Created", {"fields": ("created_by", "created_at", "updated_at")}),
    )
    deletion_help = "Open each campaign and choose another segment there. Then delete this segment."

    class Media:
        js = ("messaging/segments.js",)
        css = {"all": ("messaging/segments.css",)}

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(require_POST(self.preview_view))
        choices = self.admin_site.admin_view(require_GET(self.choices_view))
        return [
            path("preview", preview, name="crm_segment_preview"),
            path("choices", choices, name="crm_segment_choices"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Return the preview of an unsaved definition as a piece of the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        company = find_company(request.POST.get("company", ""))
        if company is None:
            return JsonResponse({"html": "Choose a company to see how many contacts there are."})
        try:
            definition = DefinitionFormField().clean(request.POST.get("definition"))
        except forms.ValidationError as error:
            return JsonResponse({"html": error.messages[0]})
        return JsonResponse({"html": preview_html(definition, company)})

    def choices_view(self, request: HttpRequest) -> HttpResponse:
        """Return rows of the company, by name (`q`) or by ID (`ids`), with the texts to show."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        company, model = find_company(request.GET.get("company", "")), request.GET.get("model", "")
        ids = [int(each) for each in request.GET.get("ids", "").split(",") if each and is_id(each)][:MAX_NAMES]
        if company is None or model not in REFERENCES.values() or not request.user.has_perm(f"crm.view_{model}"):
            return JsonResponse({"results": []})
        with tenant(company.pk):
            found = find_rows(model, request.GET.get("q", "").strip(), ids)
            return JsonResponse({"results": [{"id": pk, "text": text} for pk, text in found]})

    @admin.display(description="Preview")
    def preview(self, segment: Segment) -> SafeString:
        return preview_html(segment.definition, segment.company)


def find_company(company_id: str) -> Company | None:
    return Company.objects.filter(pk=company_id).first() if company_id and is_id(company_id) else None


def find_rows(model: str, term: str, ids: list[int]) -> list[tuple[int, str]]:
    """Return the active company's rows with these ids, or the newest whose names contain the term, with their texts.

    Contacts are found by a search. Names repeat, and a text must tell which row it is.
    """
    rows: Any = apps.get_model("crm", model).objects.all()
    if ids:
        rows = rows.filter(pk__in=ids)
    elif model == "contact":
        rows = rows.search(term) if is_long_enough(term) else rows.none()
    else:
        rows = rows.filter(name__icontains=term)
    return [(row.pk, text_of_row(row)) for row in rows.order_by("-pk")[: len(ids) or MAX_CHOICES]]


def text_of_row(row: Any) -> str:
    details = {Contact: lambda: row.phone, Campaign: lambda: f"· {row.created_at:%Y-%m-%d}"}
    more = details[type(row)]() if type(row) in details else ""
    return " ".join(filter(None, [row.name, more, f"· #{row.pk}"]))


def preview_html(definition: Any, company: Company) -> SafeString:
    """Return the sentence and the numbers, or what isn't valid."""
    context: dict[str, Any] = {}
    with tenant(company.pk):
        try:
            check_definition(definition)
        except InvalidDefinition as error:
            context["faults"] = sentences_of_faults(error)
        else:
            preview = preview_of(definition, company=company)
            left_out = [(LeftOut(reason).label, number) for reason, number in preview.left_out.items() if number]
            context |= {"preview": preview, "left_out": left_out, "samples": preview.samples["in"][:5]}
    return mark_safe(render_to_string("admin/crm/segment/preview.html", context))  # noqa: S308  # escaped there


def sentences_of_faults(error: InvalidDefinition) -> list[str]:
    return [f"{fault.place}: {fault.sentence}".removeprefix(": ") for fault in error.faults]

"""Pages of imports."""

from pathlib import Path
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import RowAdmin
from crm.admin.imports.mapping_form import MappingForm
from crm.admin.imports.upload_form import UploadForm
from crm.choices import ImportState, RowUndo, RowVerdict
from crm.db.tenancy import tenant
from crm.models import Contact, Import, ImportRow, StoredFile, User
from crm.refusals import Refusal
from crm.services.background_tasks.requests import cancel_task
from crm.services.imports.rejected_rows import rejected_csv
from crm.services.imports.requests import (
    MappingRefused,
    begin_import,
    is_of_another_company,
    open_upload,
    repeat_for_real,
    suggest_mapping,
)
from crm.services.imports.undo import begin_undo
from crm.services.stored_files import file_on_disk

COLORS = {
    ImportState.DONE: "good", ImportState.FAILED: "bad", ImportState.CANCELLED: "plain", ImportState.UNDONE: "plain",
}  # fmt: skip
UNFINISHED = (ImportState.WAITING, ImportState.RUNNING, ImportState.UNDOING)
UNDOABLE = (ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED)
REFRESH_S = 2
MAX_REASONED = 10_000  # rejected rows whose reasons are counted
MAX_REASONS, MAX_KEPT = 20, 20


@admin.register(Import)
class ImportAdmin(RowAdmin):
    """Admin for thousands of rows: every column may be sorted. Only the actions of a page change an import."""

    form = UploadForm
    change_form_template = "admin/crm/import/change_form.html"
    list_display = (
        "name", badge("state", lambda state: COLORS.get(ImportState(state), "waiting")), "dry_run", "company", "rows",
        "created", "updated", "unchanged", "merged_in_file", "rejected", moment("created_at"),
    )  # fmt: skip
    list_select_related = ("company",)
    list_filter = ("state", "company")
    search_fields = ("name",)
    sortable_by = None
    autocomplete_fields = ("company",)
    fieldsets = (
        (None, {"fields": ("company", "name", "list", "mapping_sentence", "options_sentence")}),
        ("Times", {"fields": ("created_by", "created_at", "ended_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("company", "upload")}),)
        return self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return () if obj is None else [each for _, options in self.fieldsets for each in options["fields"]]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="columns")
    def mapping_sentence(self, source: Import) -> str:
        return "; ".join(f"{column} → {target}" for column, target in source.mapping.get("columns", {}).items())

    @admin.display(description="options")
    def options_sentence(self, source: Import) -> str:
        shown = {name: source.options.get(name) for name in ("overwrite", "tags")}
        return "; ".join(f"{name}: {', '.join(values)}" for name, values in shown.items() if values)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        buttons = dict.fromkeys(("show_save_and_add_another", "show_save_and_continue"), False)
        return super().add_view(request, form_url, {"title": "Import a list of contacts", **buttons})

    # --- Upload and mapping -----------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """Store the file alone: there is no import before its columns are mapped."""
        request.stored_file = cast(UploadForm, form).store(request.user)  # type: ignore[attr-defined]

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return None

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:crm_import_map", args=[request.stored_file.pk]))  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("map/<int:file_id>/", view(self.map_view), name="crm_import_map"),
            path("<int:import_id>/rejected/", view(self.rejected_view), name="crm_import_rejected"),
            path("<int:import_id>/repeat/", view(require_POST(self.repeat_view)), name="crm_import_repeat"),
            path("<int:import_id>/cancel/", view(require_POST(self.cancel_view)), name="crm_import_cancel"),
            path("<int:import_id>/undo/", view(self.undo_view), name="crm_import_undo"),
            *super().get_urls(),
        ]

    def map_view(self, request: HttpRequest, file_id: int) -> HttpResponse:
        """Ask where the columns of a stored file go, and begin its import."""
        self._check_may_import(request)
        file = _found(StoredFile.objects.select_related("company"), file_id)
        with tenant(file.company_id), file_on_disk(file=file) as on_disk:
            try:
                upload = open_upload(path=on_disk, name=file.name)
            except Refusal as refusal:  # it was readable when it was stored
                raise Http404 from refusal
            is_foreign = is_of_another_company(upload=upload)
            form = MappingForm(upload, suggest_mapping(upload=upload), request.POST or None)
            if request.method == "POST" and form.is_valid():
                try:
                    source = begin_import(
                        company=file.company, upload=upload, user=cast(User, request.user),
                        mapping=form.mapping().to_json(), options=form.options(), dry_run="_dry_run" in request.POST,
                        file=file,
                    )  # fmt: skip
                    return _to_page(source)
                except MappingRefused as refusal:
                    form.errors_by_column = refusal.columns
                    form.add_error(None, refusal.columns.get("") or "Some columns can't go where you chose.")
            rows = form.rows
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": f"Columns of {file.name}",
                   "form": form, "rows": rows, "file": file, "is_foreign": is_foreign}  # fmt: skip
        return TemplateResponse(request, "admin/crm/import/map.html", context)

    # --- The page of an import --------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        source = self.get_object(request, object_id)
        context = self._context(request, source) if source is not None else {}
        response = super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})
        if source is not None and source.state in UNFINISHED:
            response["Refresh"] = str(REFRESH_S)  # the page needs no script
        return response

    def _context(self, request: HttpRequest, source: Import) -> dict[str, Any]:
        task, state = source.task, ImportState(source.state)
        may_act = self.has_add_permission(request)
        is_ended = state not in UNFINISHED
        return {
            "title": f"{'Dry run of' if source.dry_run else 'Import of'} {source.name}",
            "subtitle": None,
            "state": state.label,
            "color": COLORS.get(state, "waiting"),
            "task": task,
            "is_ended": is_ended,
            "figures": [(RowVerdict(name).label, getattr(source, name)) for name in RowVerdict.decided()],
            "undo_figures": [(RowUndo(name).label, getattr(source, name)) for name in RowUndo]
            if state == ImportState.UNDONE
            else [],
            "reasons": _reasons_of(source) if source.rejected else [],
            "kept": _kept_rows_of(source) if source.kept else [],
            "can_repeat": may_act and source.dry_run and state == ImportState.DONE and source.file_id,
            "can_undo": may_act and not source.dry_run and state in UNDOABLE,
            "can_cancel": may_act and state in (ImportState.WAITING, ImportState.RUNNING),
        }  # fmt: skip

    def rejected_view(self, request: HttpRequest, import_id: int) -> HttpResponseBase:
        """Download the rejected rows, to be mended and sent again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        source = _found(Import.objects, import_id)
        name = f"Rejected rows of {Path(source.name).stem}.csv"
        return StreamingHttpResponse(
            rejected_csv(source=source),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or ""},
        )

    def repeat_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """Do for real what a dry run has predicted."""
        self._check_may_import(request)
        source = _found(Import.objects.select_related("company", "file"), import_id)
        with tenant(source.company_id):
            return _to_page(repeat_for_real(source=source, user=cast(User, request.user)))

    def cancel_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """End an import after its present step."""
        self._check_may_import(request)
        source = _found(Import.objects.select_related("task"), import_id)
        try:
            with tenant(source.company_id):
                cancel_task(task=source.task)
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return _to_page(source)

    def undo_view(self, request: HttpRequest, import_id: int) -> HttpResponse:
        """Ask before an undo, then begin it."""
        self._check_may_import(request)
        source = _found(Import.objects, import_id)
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Undo the import?",
                       "source": source}  # fmt: skip
            return TemplateResponse(request, "admin/crm/import/undo.html", context)
        try:
            with tenant(source.company_id):
                begin_undo(source=source, user=cast(User, request.user))
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        return _to_page(source)

    def _check_may_import(self, request: HttpRequest) -> None:
        if not self.has_add_permission(request):
            raise PermissionDenied


def _found(rows: Any, pk: int) -> Any:
    try:
        row = rows.filter(pk=pk).first()
    except OverflowError:  # longer than SQLite's integers
        row = None
    if row is None:
        raise Http404
    return row


def _to_page(source: Import) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:crm_import_change", args=[source.pk]))


def _reasons_of(source: Import) -> list[dict[str, Any]]:
    """Return reasons of rejected rows with their columns, numbers and first rows, the most frequent first."""
    rejected = ImportRow.objects.filter(source=source, verdict=RowVerdict.REJECTED)
    some = ImportRow.objects.filter(pk__in=rejected.values("pk")[:MAX_REASONED]).order_by()
    counted = some.values("reason", "column").annotate(number=Count("pk"), first=Min("pk")).order_by("-number")
    reasons = list(counted[:MAX_REASONS])
    rows = ImportRow.objects.in_bulk([each["first"] for each in reasons])
    return [{**each, "row": rows[each["first"]]} for each in reasons]


def _kept_rows_of(source: Import) -> list[tuple[Contact | None, int, str]]:
    """Return contacts that an undo has kept, with the row and the reason."""
    rows = list(ImportRow.objects.filter(source=source, undo=RowUndo.KEPT).order_by("n")[:MAX_KEPT])
    contacts = Contact.objects.in_bulk([row.contact_id for row in rows])
    return [(contacts.get(row.contact_id), row.n, row.undo_detail) for row in rows]

"""Admin for merges of contacts, with their undoing."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from crm.admin.base.columns import moment, pretty_json
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.db.tenancy import tenant
from crm.models import ContactMerge, User
from crm.refusals import Refusal
from crm.services.merging.undo import undo_merge


@admin.register(ContactMerge)
class ContactMergeAdmin(ReadOnlyAdmin):
    change_form_template = "admin/crm/contactmerge/change_form.html"
    list_display = (moment("created_at"), "kept", "gone_id", "created_by", "company", moment("undone_at"))
    list_select_related = ("kept", "created_by", "company")
    list_filter = ("created_at", "company", "kept")
    fields = (
        "company", "kept", "gone_id", "gone_name", "chosen", "rows", "created_by", "created_at", "undone_by",
        "undone_at", "left_behind",
    )  # fmt: skip

    @admin.display(description="gone contact")
    def gone_name(self, merge: ContactMerge) -> str:
        gone = merge.before.get("gone", {})
        return " ".join(filter(None, (gone.get(name) for name in ("first_name", "last_name", "phone")))) or "–"

    @admin.display(description="chosen values")
    def chosen(self, merge: ContactMerge) -> str:
        return pretty_json(merge.fields)

    @admin.display(description="moved rows")
    def rows(self, merge: ContactMerge) -> str:
        return pretty_json(merge.counts)

    @admin.display(description="not restored")
    def left_behind(self, merge: ContactMerge) -> str:
        return pretty_json(merge.not_restored)

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(require_POST(self.undo_view))
        return [path("<int:pk>/undo/", undo, name="crm_contactmerge_undo"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        merge = self.get_object(request, object_id)
        may_undo = merge is not None and merge.undone_at is None and _may_merge(request)
        return super().change_view(request, object_id, form_url, {"may_undo": may_undo, **(extra_context or {})})

    def undo_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Undo a merge, and say what could not be restored."""
        if not _may_merge(request):
            raise PermissionDenied
        merge = get_object_or_404(ContactMerge, pk=pk)
        try:
            with tenant(merge.company_id):
                undone = undo_merge(merge=merge, user=cast(User, request.user))
        except Refusal as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:crm_contactmerge_change", args=[pk]))
        left = sum(len(row["ids"]) for row in undone.not_restored)
        self.message_user(request, f"{undone.gone} is back, with {sum(undone.restored.values()):,} rows.")
        if left:
            self.message_user(request, f"{left:,} rows were changed since and stay: see below.", messages.WARNING)
        return HttpResponseRedirect(reverse("admin:crm_contactmerge_change", args=[pk]))


def _may_merge(request: HttpRequest) -> bool:
    return request.user.has_perm("crm.change_contact")

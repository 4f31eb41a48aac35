"""Export of the admin's lists as CSV files: the rows and columns that the list shows, with its filters and search."""

from html import unescape
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from crm.models import User
from crm.services.exports.audit import record_export
from crm.services.exports.cells import as_text
from crm.services.exports.files import csv_of

MAX_ROWS = 10_000  # the API's exports have no limit
CHECKBOX = "action_checkbox"
UTC = ZoneInfo("UTC")


class ExportedList(admin.ModelAdmin):
    """A list with an export, for the staff who may view it."""

    change_list_template: ClassVar[Any] = "admin/exported_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export", view, name=name), *super().get_urls()]

    def complete_rows(self, rows: list[Any]) -> None:
        """Read for all rows together what the columns show beside the rows' own fields."""

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Return the rows of the list, as its filters and search choose them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        list_url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            page = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(list_url)  # which says what is wrong
        rows = list(page.queryset[: MAX_ROWS + 1])
        if len(rows) > MAX_ROWS:
            text = f"There are more than {MAX_ROWS:,} rows. Filter the list, or take the API's export of one company."
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(f"{list_url}?{request.GET.urlencode()}")
        self.complete_rows(rows)
        columns = [name for name in page.list_display if name != CHECKBOX]
        header = [str(label_for_field(name, self.model, self)) for name in columns]
        cells = [[self._text_of(row, name) for name in columns] for row in rows]
        facts = {"format": "csv", "filters": dict(request.GET.lists()), "rows": len(rows)}
        record_export(user=cast(User, request.user), company_id=None, table=self.opts.db_table, facts=facts)
        response = HttpResponse(csv_of([header, *cells]), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.opts.db_table}.csv"'
        return response

    def _text_of(self, row: Model, name: Any) -> str:
        """Return the text that the list shows in a column; times are in UTC."""
        _, _, value = lookup_field(name, row, self)
        return unescape(strip_tags(value)).strip() if isinstance(value, SafeString) else as_text(value, UTC)

"""Export of the admin's lists as CSV files: the rows and columns that the list shows, with its filters and search."""

from collections.abc import Iterator, Sequence
from html import unescape
from itertools import chain
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from crm.db.tenancy import all_tenants, statement_limits
from crm.models import User
from crm.services.exports.audit import record_export
from crm.services.exports.cells import as_text
from crm.services.exports.files import csv_of

MAX_ROWS = 1_000_000  # whose ids are in memory; the API's exports have no limit
PAGE = 1_000  # rows in memory
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

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Return the rows of the list, as its filters and search choose them, in its order.

        The file is sent while it is read. Rows that are deleted meanwhile are left out.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        list_url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            page = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(list_url)  # which says what is wrong
        ids = list(page.queryset.values_list("pk", flat=True)[: MAX_ROWS + 1])
        if len(ids) > MAX_ROWS:
            text = f"There are more than {MAX_ROWS:,} rows. Filter the list, or take the API's export of one company."
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(f"{list_url}?{request.GET.urlencode()}")
        columns = [name for name in page.list_display if name != CHECKBOX]
        header = [str(label_for_field(name, self.model, self)) for name in columns]
        pages = self._pages(page.queryset, ids, columns)
        first = next(pages, [])  # before the response, so that its failure is an error
        facts = {"format": "csv", "filters": dict(request.GET.lists())}
        record_export(user=cast(User, request.user), company_id=None, table=self.opts.db_table, facts=facts)
        body = self._sent(header, chain([first], pages), cast(User, request.user), facts)
        response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.opts.db_table}.csv"'
        return response

    def _pages(self, queryset: QuerySet, ids: Sequence[Any], columns: Sequence[Any]) -> Iterator[list[list[str]]]:
        """Yield pages of cells, each read in a transaction of its own."""
        limits = {"statement_timeout": settings.WEB_STATEMENT_TIMEOUT_MS, "lock_timeout": settings.WEB_LOCK_TIMEOUT_MS}
        for start in range(0, len(ids), PAGE):
            some = ids[start : start + PAGE]
            with statement_limits(**limits), all_tenants():
                found = {row.pk: row for row in queryset.order_by().filter(pk__in=some)}
                rows = [found[pk] for pk in some if pk in found]
                self.complete_rows(rows)
                page = [[self._text_of(row, name) for name in columns] for row in rows]
            yield page

    def _sent(
        self, header: list[str], pages: Iterator[list[list[str]]], user: User, facts: dict[str, Any]
    ) -> Iterator[bytes]:
        """Yield the file, and record its rows at the end, also if the browser goes away before."""
        sent, complete = 0, False
        try:
            yield csv_of([header])
            for page in pages:
                yield csv_of(page)
                sent += len(page)
            complete = True
        finally:
            facts = {**facts, "rows": sent, "complete": complete}
            record_export(user=user, company_id=None, table=self.opts.db_table, facts=facts)

    def _text_of(self, row: Model, name: Any) -> str:
        """Return the text that the list shows in a column; times are in UTC."""
        _, _, value = lookup_field(name, row, self)
        return unescape(strip_tags(value)).strip() if isinstance(value, SafeString) else as_text(value, UTC)

"""Admin site with the first page and the index health page.

A module of its own, because importing an `admin` module registers models.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from crm.admin_site import StaffSite
from crm.error_codes import ErrorCode
from crm.models import Contact
from crm.outages import outage_code
from ops.home.links import may_view
from ops.home.page import make_home
from ops.home.search import MAX_LENGTH, find_one_contact, search
from ops.home.tables import group_tables
from ops.index_health.admin_page import COLUMNS, make_page
from ops.index_health.report import UnknownTable, run_checks
from ops.privacy_page import contact_of, describe_privacy, download

TITLE = "Index health"


class Site(StaffSite):
    index_template = "admin/home/index.html"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("index-health/", self.admin_view(self.index_health_view), name="index_health"),
            path("search/", self.admin_view(self.search_view), name="search"),
            path("contact-privacy/<int:pk>/", self.admin_view(self.privacy_view), name="contact_privacy"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, {**make_home(request), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the tables in groups with the index health page, shown like a read-only model."""
        app_list = super().get_app_list(request, app_label)
        for app in app_list:
            if app["app_label"] == "analytics" and can_view_index_health(request):
                app["models"].append(
                    {
                        "name": TITLE,
                        "object_name": "IndexHealth",
                        "admin_url": reverse("admin:index_health"),
                        "view_only": True,
                    }
                )
        return app_list if app_label else group_tables(app_list)

    def privacy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Export a contact's personal data, and say how they are erased."""
        contact = contact_of(request, pk)
        if request.method == "POST":
            return download(request, contact)
        context = self.each_context(request) | describe_privacy(contact)
        return TemplateResponse(request, "admin/crm/contact/privacy.html", context)

    def search_view(self, request: HttpRequest) -> HttpResponse:
        """Open the contact with the whole number that was searched for; show what else is found."""
        term = request.GET.get("q", "").strip()[:MAX_LENGTH]
        contact = find_one_contact(term) if may_view(request, Contact) else None
        if contact:
            return HttpResponseRedirect(reverse("admin:crm_contact_change", args=[contact]))
        context = self.each_context(request) | {
            "title": f"Search: {term}" if term else "Search",
            "term": term,
            "groups": search(request, term) if term else [],
        }
        return TemplateResponse(request, "admin/home/search.html", context)

    def index_health_view(self, request: HttpRequest) -> HttpResponse:
        """Show the report. With `?measure=1` it includes the slow measurements, within the time limit of a request."""
        if not can_view_index_health(request):
            raise PermissionDenied
        parameters = {"sort": "size", "table": "", "measure": "0"} | request.GET.dict()
        if parameters["measure"] not in ("0", "1"):
            return plain_response("measure: must be 0 or 1.", status=400)
        if parameters["sort"] not in COLUMNS:
            return plain_response(f"sort: {parameters['sort']!r} must be one of {', '.join(COLUMNS)}.", status=400)
        measure = parameters["measure"] == "1"
        try:
            page = make_page(
                run_checks(measure=measure, explain=measure), sort=parameters["sort"], table=parameters["table"]
            )
        except UnknownTable as error:
            return plain_response(f"table: {error}", status=400)
        except OperationalError as error:
            if outage_code(error) != ErrorCode.TIMEOUT:
                raise
            reason = "The database took too long to answer. Run manage.py index_report, which has no time limit."
            return plain_response(reason, status=503)
        context = self.each_context(request) | {
            "title": TITLE,
            "page": page,
            "measured": measure,
            "large_index": settings.INDEX_LARGE_BYTES,
            "large_table": settings.TABLE_LARGE_BYTES,
        }
        return TemplateResponse(request, "admin/index_health.html", context)


def can_view_index_health(request: HttpRequest) -> bool:
    """Return whether the user may view the totals status: the page has no model with a permission of its own."""
    return request.user.has_perm("analytics.view_callrollup")


def plain_response(reason: str, *, status: int) -> HttpResponse:
    return HttpResponse(reason, status=status, content_type="text/plain")

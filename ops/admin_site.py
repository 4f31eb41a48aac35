"""The staff's site with the page on the database's indexes. Beside `analytics.admin`, whose import registers models."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from crm.admin_site import StaffSite
from ops.index_health.admin_page import InvalidParameter, make_page
from ops.index_health.report import run_checks

TITLE = "Index health"


class Site(StaffSite):
    def get_urls(self) -> list[URLPattern | URLResolver]:
        page = path("index-health/", self.admin_view(self.index_health_view), name="index_health")
        return [page, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """With the page in the list of its app, as if it were a table that can be viewed."""
        app_list = super().get_app_list(request, app_label)
        for app in app_list:
            if app["app_label"] == "analytics" and may_see_index_health(request):
                app["models"].append(
                    {
                        "name": TITLE,
                        "object_name": "IndexHealth",
                        "admin_url": reverse("admin:index_health"),
                        "view_only": True,
                    }
                )
        return app_list

    def index_health_view(self, request: HttpRequest) -> HttpResponse:
        """The report; with `?measure=1` also what takes its time, as far as that of a request goes."""
        if not may_see_index_health(request):
            raise PermissionDenied
        asked = {"sort": "size", "table": "", "measure": "0"} | request.GET.dict()
        if asked["measure"] not in ("0", "1"):
            return refuse("measure: it must be 0 or 1.", status=400)
        measure = asked["measure"] == "1"
        try:
            page = make_page(run_checks(measure=measure, explain=measure), sort=asked["sort"], table=asked["table"])
        except InvalidParameter as error:
            return refuse(str(error), status=400)
        except OperationalError:
            reason = "The database took too long to answer. manage.py index_report has more time than a page."
            return refuse(reason, status=503)
        context = self.each_context(request) | {
            "title": TITLE,
            "page": page,
            "table": asked["table"],
            "sort": asked["sort"],
            "measured": measure,
            "large_index": settings.INDEX_LARGE_BYTES,
            "large_table": settings.TABLE_LARGE_BYTES,
        }
        return TemplateResponse(request, "admin/index_health.html", context)


def may_see_index_health(request: HttpRequest) -> bool:
    """There is no table to hang a permission on: whoever sees how the counting of calls gets on sees this."""
    return request.user.has_perm("analytics.view_callrollup")


def refuse(reason: str, *, status: int) -> HttpResponse:
    return HttpResponse(reason, status=status, content_type="text/plain")

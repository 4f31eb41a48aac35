"""URL configuration."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from calls.calendar_feed import calendar_feed
from calls.files import attachment_file
from config.favicon import favicon
from config.metrics import metrics
from crm.account_pages import forgotten_password_page, set_password_page
from crm.api.base.error_handler import api_not_found
from crm.api.changes import ChangesView
from crm.api.schema_view import SchemaView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("set-password/<str:token>", set_password_page, name="set_password"),
    path("forgotten-password", forgotten_password_page, name="forgotten_password"),
    path("calendar/<str:token>.ics", calendar_feed, name="calendar-feed"),
    path("files/<str:token>", attachment_file, name="attachment-file"),
    # Routes are tried in order: the one that clients poll comes first, and the app with the most routes last.
    path("api/v1/", include([path("changes", ChangesView.as_view(), name="changes")])),
    path("api/v1/", include("analytics.api.urls")),
    path("api/v1/", include("messaging.api.urls")),
    path("api/v1/", include("calls.api.urls")),
    path("api/v1/", include("crm.api.urls")),
    path("webhooks/", include("messaging.webhooks.urls")),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path("^api/", api_not_found),
    path("metrics", metrics),
    path("favicon.ico", favicon),
]
handler400 = "config.outages.refused_request"
handler500 = "config.outages.internal_error"

if settings.DEBUG_TOOLBAR:
    urlpatterns.insert(0, path("__debug__/", include("debug_toolbar.urls")))

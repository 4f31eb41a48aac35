"""Admin for calls, whose page begins with the recording, the transcript and the analysis."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from analytics.admin.call_story import story_of
from analytics.admin.objections import objections_view
from calls.admin.calls import CallAdmin
from calls.models import Call


@admin.register(Call)
class CallPageAdmin(CallAdmin):
    """The table of calls, and the page of one with what was said above the form."""

    change_form_template = "admin/calls/call/page.html"

    class Media:
        css = {"all": ("analytics/contacts.css",)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(objections_view))
        return [path("<int:call_id>/objections", view, name="calls_call_objections"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("company", "contact", "phone_line", "activity")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        call = options.get("obj")
        if call is not None:
            context["story"] = story_of(call, request.user)
        return super().render_change_form(request, context, *args, **options)

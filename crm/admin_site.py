"""Admin site for staff, across all companies. Not in the package `crm.admin`, whose import registers models."""

from contextlib import ExitStack
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import path, reverse

from crm.account_pages import SignInForm, second_factor_page, sessions_page
from crm.client_ip import client_address
from crm.db.audit_context import acting_as
from crm.db.rate_counters import seconds_left
from crm.db.tenancy import all_tenants
from crm.form_fields import is_id
from crm.models import User
from crm.services.login_throttling import allow_sign_in_attempt, seconds_locked_out
from crm.services.user_sessions import record_admin_session

WITHOUT_SECOND_FACTOR = {"admin:second_factor", "admin:logout", "admin:password_change", "admin:jsi18n"}


class CompanyAutocomplete(AutocompleteJsonView):
    """Suggestions with the company's name: many companies have a contact or user of the same name."""

    def process_request(self, request: HttpRequest) -> Any:
        """Refuse a relation that another table's column makes, such as an activity's call: it is no form field."""
        found = super().process_request(request)
        if not found[2].concrete:
            raise PermissionDenied
        return found

    def get_queryset(self) -> QuerySet:
        rows, company = super().get_queryset(), self.request.GET.get("company__id__exact", "")
        if not hasattr(rows.model, "company"):
            return rows
        return (rows.filter(company=company) if is_id(company) else rows).select_related("company")

    def serialize_result(self, obj: Model, to_field_name: str) -> dict[str, str]:
        choice = super().serialize_result(obj, to_field_name)
        if company := getattr(obj, "company", None):
            choice["text"] += f" · {company}"
        return choice


def too_many_attempts(seconds: int) -> HttpResponse:
    page = render_to_string("429.html", {"seconds": seconds})
    return HttpResponse(page, status=429, headers={"Retry-After": str(seconds)})


def lockout_response(request: HttpRequest, _response: HttpResponse, credentials: dict[str, Any]) -> HttpResponse:
    """Return the response to a username that is locked out for this address (AXES_LOCKOUT_CALLABLE)."""
    return too_many_attempts(seconds_locked_out(username=credentials["username"], address=client_address(request)))


def _needs_second_factor(request: HttpRequest) -> bool:
    """Return whether the user must set up a second factor first (REQUIRE_SECOND_FACTOR)."""
    page = request.resolver_match.view_name if request.resolver_match else ""
    return (
        settings.REQUIRE_SECOND_FACTOR
        and page not in WITHOUT_SECOND_FACTOR
        and request.user.is_authenticated
        and request.user.second_factor_since is None
    )


class StaffSite(admin.AdminSite):
    """An admin whose views see all companies. For staff only.

    Its pages are loaded when they are first asked for: they take a third of the memory of a worker, which shows none.
    """

    site_header = site_title = "Home-services CRM"
    index_title = "Overview"
    site_url = None
    empty_value_display = "–"
    login_form = SignInForm
    login_template = "admin/account/sign_in.html"
    _is_loaded = False

    @property
    def _registry(self) -> dict[type[Model], admin.ModelAdmin]:
        """The pages by their model."""
        if not self._is_loaded:
            self._is_loaded = True  # loading asks for the pages, too
            admin.autodiscover()
            # The package registers its refresh tokens with their text; a reader could sign in with one.
            self.unregister(apps.get_app_config("token_blacklist").get_models())
        return self._pages

    @_registry.setter
    def _registry(self, pages: dict[type[Model], admin.ModelAdmin]) -> None:
        self._pages = pages

    def get_urls(self) -> list[Any]:
        return [
            path("second-factor/", self.admin_view(second_factor_page), name="second_factor"),
            path("sessions/", self.admin_view(sessions_page), name="sessions"),
            *super().get_urls(),
        ]

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Change the password. All sessions end but this one, which goes on under another key."""
        before = request.session.session_key
        response = super().password_change(request, extra_context)
        if request.session.session_key != before:
            record_admin_session(user=cast(User, request.user), request=request)
        return response

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        def view_of_all_companies(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if _needs_second_factor(request):
                return HttpResponseRedirect(reverse("admin:second_factor"))
            with ExitStack() as stack:
                stack.enter_context(all_tenants())
                if request.method == "POST" and request.user.is_authenticated:
                    stack.enter_context(acting_as(request.user.pk, request.user.get_username()))
                response = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse):
                    response.render()  # rendering runs queries, which need the active tenants
                return response

        return super().admin_view(view_of_all_companies, cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and not allow_sign_in_attempt(client_address(request)):
            return too_many_attempts(seconds_left())
        return super().login(request, extra_context)

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return CompanyAutocomplete.as_view(admin_site=self)(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return apps in the order of INSTALLED_APPS."""
        order = [app.label for app in apps.get_app_configs()]
        return sorted(super().get_app_list(request, app_label), key=lambda app: order.index(app["app_label"]))

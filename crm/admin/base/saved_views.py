"""Saved views of a list: a person's names for its filters and order, as links above it."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from crm.models import SavedView, User

MAX_VIEWS = 20  # of a person on one list
LEFT_OUT = {"p", "q", "e", "all", "_popup", "_to_field", "_changelist_filters"}


class ViewForm(forms.ModelForm):
    class Meta:
        model = SavedView
        fields = ("name", "query")


def query_of(parameters: QueryDict) -> str:
    """Return the filters and the order of a list in one form, so that a view is recognised by its query."""
    kept = sorted((name, values) for name, values in parameters.lists() if name not in LEFT_OUT)
    return urlencode(kept, doseq=True)


class SavedViews(admin.ModelAdmin):
    """A list with the views that the user has saved. Everybody who sees the list may save views of it."""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        save = self.admin_site.admin_view(require_POST(self.save_view_view))
        change = self.admin_site.admin_view(require_POST(self.change_view_view))
        return [
            path("views/", save, name=f"{name}_save_view"),
            path("views/<int:pk>/", change, name=f"{name}_change_view"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        views = list(self._views_of(request)) if "_popup" not in request.GET else []
        query = query_of(request.GET)
        context = {
            "saved_views": views,
            "view_query": query,
            "current_view": next((view for view in views if view.query == query), None),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def save_view_view(self, request: HttpRequest) -> HttpResponse:
        """Save the filters under a name. The same name again replaces them."""
        query = query_of(QueryDict(request.POST.get("query", "")))
        form = ViewForm({"name": request.POST.get("name"), "query": query})
        views = self._views_of(request)
        if not form.is_valid():
            self._warn(request, form)
        elif views.exclude(name=form.cleaned_data["name"]).count() >= MAX_VIEWS:
            self.message_user(request, f"A list has at most {MAX_VIEWS} views. Delete one first.", messages.WARNING)
        else:
            SavedView.objects.update_or_create(
                user=cast(User, request.user),
                list=self.opts.label_lower,
                name=form.cleaned_data["name"],
                defaults={"query": query},
            )
            self.message_user(request, f"Saved as “{form.cleaned_data['name']}”, for you alone.")
        return self._back_to(query)

    def change_view_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Rename or delete a view."""
        view = get_object_or_404(self._views_of(request), pk=pk)
        if "delete" in request.POST:
            view.delete()
            self.message_user(request, f"The view “{view.name}” is deleted.")
            return self._back_to("")
        form = ViewForm({"name": request.POST.get("name"), "query": view.query})
        if not form.is_valid():
            self._warn(request, form)
        elif self._views_of(request).exclude(pk=pk).filter(name=form.cleaned_data["name"]).exists():
            self.message_user(request, "Another view of this list has this name.", messages.WARNING)
        else:
            SavedView.objects.filter(pk=pk).update(name=form.cleaned_data["name"])
        return self._back_to(view.query)

    def _views_of(self, request: HttpRequest) -> Any:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return SavedView.objects.filter(user=request.user.pk, list=self.opts.label_lower).order_by("name")

    def _warn(self, request: HttpRequest, form: ViewForm) -> None:
        field, errors = next(iter(form.errors.items()))
        self.message_user(request, f"{field.capitalize()}: {errors[0]}", messages.WARNING)

    def _back_to(self, query: str) -> HttpResponse:
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return HttpResponseRedirect(f"{url}?{query}" if query else url)

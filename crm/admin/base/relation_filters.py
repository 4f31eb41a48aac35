"""Filters of lists by another row: links to a few, or a box that suggests some of many."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from crm.form_fields import is_id

MAX_LINKS = 10


class RelationFilter(admin.RelatedFieldListFilter):
    """Links to the rows of a small table; else the chosen row, and a box that finds others by Django's suggestions."""

    template = "admin/relation_filter.html"
    include_empty_choice = False  # no index has these rows

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, *args: Any, **kwargs: Any) -> None:
        self.suggestions = self.link = ""
        super().__init__(field, request, params, model, *args, **kwargs)
        names = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
        company = request.GET.get("company__id__exact", "")
        if self.suggests:
            chosen = {"company__id__exact": company} if is_id(company) and field.name != "company" else {}
            self.suggestions = f"{reverse('admin:autocomplete')}?{urlencode(names | chosen)}"

    def has_output(self) -> bool:
        # Django ignores the parameter of a filter without output: a link to the rows of the only user would show all.
        is_chosen = bool(self.lookup_val or self.lookup_val_isnull)
        return self.suggests or len(self.lookup_choices) > 1 or is_chosen

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        """Return the rows of a small table if they are few, else the chosen one."""
        related = field.remote_field.model
        company = request.GET.get("company__id__exact", "")
        related_admin = model_admin.admin_site.get_model_admin(related)
        rows, found = related._default_manager.all(), []
        self.suggests = related_admin.has_view_permission(request)
        if related_admin.sortable_by is None:  # a small table
            of_company = {"company": company} if is_id(company) and hasattr(related, "company") else {}
            found = list(rows.filter(**of_company).order_by(*related_admin.ordering)[: MAX_LINKS + 1])
            self.suggests = self.suggests and len(found) > MAX_LINKS
        if len(found) > MAX_LINKS or self.suggests:
            value = self.lookup_val[-1] if self.lookup_val else ""
            found = list(rows.filter(pk=value)) if is_id(value) else []
        return [(row.pk, str(row)) for row in found]

    def choices(self, changelist: Any) -> Iterator[Any]:
        others = changelist.get_query_string(remove=[self.lookup_kwarg])
        self.link = f"{others}{'' if others == '?' else '&'}{self.lookup_kwarg}="
        return super().choices(changelist)

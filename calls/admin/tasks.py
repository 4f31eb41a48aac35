"""Admin for tasks."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from calls.models import Task
from crm.admin.base.columns import moment
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.prefilled import ContactPrefilled
from crm.admin.base.range_filters import CalendarFilter
from crm.admin.base.search import ExactSearch


class DoneFilter(admin.SimpleListFilter):
    """Open or done tasks."""

    title, parameter_name = "done", "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Open"), ("yes", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(done_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Task)
class TaskAdmin(ContactPrefilled, ExactSearch, RowAdmin):
    list_display = ("title", "contact", "assignee", moment("due_at"), moment("done_at"), "company")
    list_select_related = ("contact", "assignee", "company")
    list_filter = (
        ("due_at", CalendarFilter),
        DoneFilter,
        "company",
        "contact",
        "assignee",
    )
    time_field = "due_at"
    search_help_text = "The contact's name or phone number, or # and the task's ID, such as #12."
    autocomplete_fields = ("company", "contact", "assignee")
    raw_id_fields = ("call",)
    fields = (
        "company", "title", "contact", "call", "lead", "assignee", "due_at", "done_at", "created_by", "created_at",
        "updated_at",
    )  # fmt: skip
    readonly_fields = ("lead", "done_at", "created_by", "created_at", "updated_at")

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

"""Admin for tasks."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from calls.models import Task
from calls.services.tasks import finish_task, reopen_task
from crm.admin.base.columns import local_moment, show_local
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.prefilled import ContactPrefilled
from crm.admin.base.range_filters import CalendarFilter
from crm.admin.base.search import ExactSearch
from crm.admin.base.wall_clock import LocalTimesForm
from crm.db.tenancy import tenant
from crm.form_fields import is_id


class DoneFilter(admin.SimpleListFilter):
    """Open or done tasks."""

    title, parameter_name = "done", "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Open"), ("yes", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(done_at__isnull=self.value() == "no") if self.value() else queryset


class TaskForm(LocalTimesForm):
    """The due time is typed and shown in the company's time zone."""

    local_times = ("due_at",)

    def present_zone(self) -> str:
        return str(self.instance.company.timezone) if self.instance.company_id else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.company:
            self.read_times(cleaned, self.company.zone)
        return cleaned


@admin.register(Task)
class TaskAdmin(ContactPrefilled, ExactSearch, RowAdmin):
    form = TaskForm
    change_form_template = "admin/calls/task/change_form.html"
    list_display = ("title", "contact", "assignee", local_moment("due_at"), local_moment("done_at"), "company")
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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.finish_view))
        return [path("<path:object_id>/finish", view, name="calls_task_finish"), *super().get_urls()]

    def finish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Mark a task as done, or take it up again."""
        task = Task.objects.filter(pk=object_id).first() if is_id(object_id) else None
        if task is None:
            raise Http404
        if not self.has_change_permission(request, task):
            raise PermissionDenied
        with tenant(task.company_id):
            if "reopen" in request.POST:
                reopen_task(task=task)
                messages.success(request, "The task is open again.")
            else:
                finish_task(task=task)
                messages.success(request, "Done.")
        return HttpResponseRedirect(reverse("admin:calls_task_change", args=[task.pk]))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        task = options.get("obj")
        if task is not None:
            context |= {
                "task": task,
                "due_at": show_local(task.due_at, task.company.zone),
                "done_at": show_local(task.done_at, task.company.zone),
                "is_overdue": task.done_at is None and task.due_at < now(),
                "may_finish": self.has_change_permission(request, task),
            }
        return super().render_change_form(request, context, *args, **options)

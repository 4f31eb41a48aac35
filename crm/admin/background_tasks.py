"""Admin for background tasks."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from crm.admin.base.columns import badge, moment, pretty_json
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.choices import TaskState
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import BackgroundTask, Import, User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action
from crm.services.background_tasks.kinds import label_of
from crm.services.background_tasks.requests import cancel_task
from crm.services.bulk_actions import CHANGED, IDS
from crm.services.exports.audit import record_export
from crm.services.stored_files import stream_file

REFRESH_S = 5
COLORS = {TaskState.DONE: "good", TaskState.FAILED: "bad", TaskState.CANCELLED: "plain"}


@admin.register(BackgroundTask)
class BackgroundTaskAdmin(ReadOnlyAdmin):
    actions = ("cancel",)
    change_form_template = "admin/crm/backgroundtask/change_form.html"
    list_display = (
        "what",
        badge("state", lambda state: COLORS.get(TaskState(state), "waiting")),
        "progress",
        "requested_by",
        "company",
        moment("created_at"),
        moment("ended_at"),
    )
    list_select_related = ("requested_by", "company")
    list_filter = ("state", "created_at", "company")
    fields = (
        "company", "what", "state", "progress", "error_code", "error", "cancel_requested", "result_file",
        "requested_by", "created_at", "started_at", "lease_until", "ended_at", "settings",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[BackgroundTask]:
        return super().get_queryset(request).defer("parameters")  # thousands of IDs, maybe

    @admin.display(description="parameters")
    def settings(self, task: BackgroundTask) -> SafeString:
        return pretty_json({name: value for name, value in task.parameters.items() if name != IDS})

    @admin.display(description="task")
    def what(self, task: BackgroundTask) -> str:
        return f"{label_of(task.kind)} #{task.pk}"

    @admin.display(description="progress")
    def progress(self, task: BackgroundTask) -> SafeString | str:
        if not task.total:
            return f"{task.done:,}" if task.done else ""
        return format_html(
            '<progress value="{}" max="{}" aria-label="Progress"></progress> {} of {}',
            task.done, task.total, f"{task.done:,}", f"{task.total:,}",
        )  # fmt: skip

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("crm.change_backgroundtask")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: Iterable[BackgroundTask]) -> None:
        for task in queryset:
            self.cancel_one(request, task)

    def cancel_one(self, request: HttpRequest, task: BackgroundTask) -> None:
        try:
            with tenant(task.company_id), transaction.atomic():
                cancelled = cancel_task(task=task)
                changes = {"cancel_requested": (False, True)}
                record_staff_action(
                    user=cast(User, request.user), table="background_tasks", row_id=task.pk, changes=changes
                )
        except Refusal as refusal:
            self.message_user(request, f"{self.what(task)}: {refusal}", messages.ERROR)
            return
        ended = cancelled.state == TaskState.CANCELLED
        what_happens = "it is cancelled." if ended else "it ends after its present step."
        self.message_user(request, f"{self.what(task)}: {what_happens}")

    # --- The page of a task -----------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:task_id>/cancel", view(require_POST(self.cancel_view)), name="crm_backgroundtask_cancel"),
            path("<int:task_id>/file", view(self.file_view), name="crm_backgroundtask_file"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the progress anew every few seconds until the task has ended; the page needs no script."""
        response = super().change_view(request, object_id, form_url, extra_context)
        task = getattr(response, "context_data", {}).get("original")
        if task is not None and task.state not in TaskState.ended():
            response["Refresh"] = str(REFRESH_S)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        task = options.get("obj")
        if task is not None:
            context |= {
                "title": self.what(task),
                "subtitle": None,
                "color": COLORS.get(TaskState(task.state), "waiting"),
                "is_ended": task.state in TaskState.ended(),
                "may_cancel": self.has_cancel_permission(request) and task.state not in TaskState.ended(),
                "changed": task.parameters.get(CHANGED),
                "made": Import.objects.filter(task=task).first(),
            }
        return super().render_change_form(request, context, *args, **options)

    def cancel_view(self, request: HttpRequest, task_id: int) -> HttpResponse:
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        task = self.find_task(task_id)
        self.cancel_one(request, task)
        return HttpResponseRedirect(reverse("admin:crm_backgroundtask_change", args=[task.pk]))

    def file_view(self, request: HttpRequest, task_id: int) -> HttpResponseBase:
        """Download the file that the task has made, which is written to the audit."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        task = self.find_task(task_id)
        file = task.result_file
        if file is None:
            raise Http404
        facts = {"file": file.pk, "task": task.pk}
        record_export(user=cast(User, request.user), company_id=task.company_id, table="stored_files", facts=facts)
        disposition = content_disposition_header(as_attachment=True, filename=file.name) or ""
        return StreamingHttpResponse(
            stream_file(file=file),
            content_type=file.content_type,
            headers={"Content-Disposition": disposition, "Content-Length": str(file.size)},
        )

    def find_task(self, task_id: int) -> BackgroundTask:
        if not is_id(str(task_id)):
            raise Http404
        return get_object_or_404(BackgroundTask.objects.select_related("result_file"), pk=task_id)

"""Admin for background tasks."""

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.choices import TaskState
from crm.db.tenancy import tenant
from crm.models import BackgroundTask
from crm.refusals import Refusal
from crm.services.background_tasks.kinds import label_of
from crm.services.background_tasks.requests import cancel_task

COLORS = {TaskState.DONE: "good", TaskState.FAILED: "bad", TaskState.CANCELLED: "plain"}


@admin.register(BackgroundTask)
class BackgroundTaskAdmin(ReadOnlyAdmin):
    actions = ("cancel",)
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
        "requested_by", "created_at", "started_at", "lease_until", "ended_at", "parameters",
    )  # fmt: skip

    @admin.display(description="task")
    def what(self, task: BackgroundTask) -> str:
        return f"{label_of(task.kind)} #{task.pk}"

    @admin.display(description="progress")
    def progress(self, task: BackgroundTask) -> SafeString | str:
        if not task.total:
            return f"{task.done:,}" if task.done else ""
        return format_html(
            '<progress value="{}" max="{}"></progress> {} of {}',
            task.done, task.total, f"{task.done:,}", f"{task.total:,}",
        )  # fmt: skip

    @admin.action(description="Cancel", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: object) -> None:
        for task in queryset:  # type: ignore[attr-defined]
            try:
                with tenant(task.company_id):
                    cancel_task(task=task)
                self.message_user(request, f"{self.what(task)}: it ends after its present step.")
            except Refusal as refusal:
                self.message_user(request, f"{self.what(task)}: {refusal}", messages.ERROR)

"""Admin for workers."""

from django.contrib import admin

from crm.admin.base.columns import moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.models import WorkerHeartbeat


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("host", "pid", "version", "jobs", moment("started_at"), moment("seen_at"))
    fields = ("host", "pid", "version", "jobs", "started_at", "seen_at")

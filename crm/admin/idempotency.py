"""Admin for idempotency keys."""

from django.contrib import admin

from crm.admin.base.columns import moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.models import IdempotencyKey


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = (moment("created_at"), "key", "request", "status", "user", "company")
    list_select_related = ("user", "company")
    list_filter = ("company",)
    fields = ("company", "user", "key", "request", "status", "created_at")

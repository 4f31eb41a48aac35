"""Admin for stored files."""

from django.contrib import admin

from crm.admin.base.columns import moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.models import StoredFile


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ("name", "content_type", "size", "created_by", "company", moment("created_at"), moment("expires_at"))
    list_select_related = ("created_by", "company")
    list_filter = ("company",)
    fields = ("company", "name", "content_type", "size", "created_by", "created_at", "expires_at")

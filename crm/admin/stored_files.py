"""Admin for stored files and their objects."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from crm.admin.base.columns import excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.models import StoredFile, StoredObject


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    list_display = ("name", "content_type", "size", "created_by", "company", moment("created_at"), moment("expires_at"))
    list_select_related = ("created_by", "company")
    list_filter = ("company",)
    fields = ("company", "name", "content_type", "size", "created_by", "created_at", "expires_at", "has_object")


class FailingFilter(admin.SimpleListFilter):
    """Objects whose copy or deletion has failed."""

    title = parameter_name = "failing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Failing")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return queryset.failing() if self.value() == "yes" else None


@admin.register(StoredObject)
class StoredObjectAdmin(ReadOnlyAdmin):
    list_display = ("key", "file", moment("copied_at"), moment("run_at"), "tries", excerpt("error"), "company")
    list_select_related = ("file", "company")
    list_filter = (FailingFilter,)
    fields = ("company", "key", "file", "copied_at", "run_at", "tries", "error")

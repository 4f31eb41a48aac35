"""Admin for merges of contacts."""

from django.contrib import admin

from crm.admin.base.columns import moment, pretty_json
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.models import ContactMerge


@admin.register(ContactMerge)
class ContactMergeAdmin(ReadOnlyAdmin):
    list_display = (moment("created_at"), "kept", "gone_id", "created_by", "company", moment("undone_at"))
    list_select_related = ("kept", "created_by", "company")
    list_filter = ("company",)
    fields = (
        "company", "kept", "gone_id", "chosen", "rows", "created_by", "created_at", "undone_by", "undone_at",
        "left_behind",
    )  # fmt: skip

    @admin.display(description="chosen values")
    def chosen(self, merge: ContactMerge) -> str:
        return pretty_json(merge.fields)

    @admin.display(description="moved rows")
    def rows(self, merge: ContactMerge) -> str:
        return pretty_json(merge.counts)

    @admin.display(description="not restored")
    def left_behind(self, merge: ContactMerge) -> str:
        return pretty_json(merge.not_restored)

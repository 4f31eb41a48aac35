"""Admin for activities."""

from django.contrib import admin

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.search import ExactSearch
from crm.models import Activity


@admin.register(Activity)
class ActivityAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("created_at"), badge("activity_type"), "direction", "contact", excerpt("body"), "company")
    list_select_related = ("contact", "company")
    list_filter = ("activity_type", "created_at", "company", "contact")
    search_text_fields = ("openphone_id",)
    search_help_text = "The provider's ID, the contact's name or phone number, or # and the activity's ID, such as #12."
    fields = (
        "related_rows",
        "company",
        "contact",
        "conversation",
        "user",
        "activity_type",
        "direction",
        "body",
        "openphone_id",
        "created_at",
    )
    readonly_fields = ("related_rows",)

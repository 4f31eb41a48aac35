"""Admin for conversations and activities."""

from django.contrib import admin

from crm.admin.base.columns import badge, excerpt, moment
from crm.admin.base.model_admin import ReadOnlyAdmin
from crm.admin.base.search import ExactSearch
from crm.models import Activity, Conversation


@admin.register(Conversation)
class ConversationAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("last_activity_at"), "contact", "phone_line", badge("status"), "assignee", "company")
    list_select_related = ("contact", "phone_line", "assignee", "company")
    list_filter = ("company",)
    search_help_text = "The contact's name or phone number, or # and the conversation's ID, such as #12."
    fields = (
        "related_rows",
        "company",
        "contact",
        "phone_line",
        "status",
        "assignee",
        "created_at",
        "last_activity_at",
    )
    readonly_fields = ("related_rows",)


@admin.register(Activity)
class ActivityAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (moment("created_at"), badge("activity_type"), "direction", "contact", excerpt("body"), "company")
    list_select_related = ("contact", "company")
    list_filter = ("activity_type", "company")
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

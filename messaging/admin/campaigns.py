"""Admin for campaigns and campaign memberships."""

from django.contrib import admin

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.search import ExactSearch
from crm.choices import CampaignStatus
from crm.models import Campaign, CampaignMembership
from messaging.admin.campaign_results import CampaignResults


@admin.register(Campaign)
class CampaignAdmin(CampaignResults, RowAdmin):
    """Admin for thousands of rows: every column may be searched and sorted."""

    list_display = (
        "name",
        badge("status", lambda status: CampaignStatus(status).color),
        "company",
        "phone_line",
        moment("scheduled_at"),
        moment("created_at"),
    )
    list_select_related = ("company", "phone_line")
    list_filter = ("status", "company")
    search_fields = ("name",)
    sortable_by = None
    autocomplete_fields = ("company", "phone_line")
    readonly_fields = (
        "related_rows", "progress", "estimate", "texts", "report", "created_by", "created_at", "updated_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("related_rows", "company", "name", "status", "body")}),
        ("Sending", {"fields": ("phone_line", "scheduled_at")}),
        ("Before the start", {"fields": ("estimate", "texts")}),
        ("Results", {"fields": ("progress", "report")}),
        ("Created", {"fields": ("created_by", "created_at", "updated_at")}),
    )


@admin.register(CampaignMembership)
class CampaignMembershipAdmin(ExactSearch, RowAdmin):
    list_display = ("campaign", "contact", badge("status"), "reason", "company", moment("sent_at"))
    list_select_related = ("campaign", "contact", "company")
    list_filter = ("status", "sent_at", "company")
    search_help_text = "The contact's name or phone number, or # and the membership's ID, such as #12."
    autocomplete_fields = ("company", "campaign", "contact")
    fields = ("company", "campaign", "contact", "status", "reason", "sent_at", "created_at")
    readonly_fields = ("created_at",)

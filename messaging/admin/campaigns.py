"""Admin for campaigns and campaign memberships."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.search import ExactSearch
from crm.choices import CampaignStatus
from crm.db.tenancy import tenant
from crm.models import Campaign, CampaignMembership
from crm.refusals import Refusal
from messaging.admin.campaign_results import CampaignResults
from messaging.services.campaigns.drafts import CHANGEABLE
from messaging.services.campaigns.runs import cancel_campaign, pause_campaign, resume_campaign, start_campaign


@admin.register(Campaign)
class CampaignAdmin(CampaignResults, RowAdmin):
    """Admin for thousands of rows: every column may be searched and sorted.

    The status follows from the actions. What is sent changes only in a draft.
    """

    actions = ("start", "pause", "resume", "cancel")
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
        "related_rows", "status", "status_reason", "started_at", "started_by", "resumed_at", "ended_at", "previous_run",
        "progress", "estimate", "texts", "report", "created_by", "created_at", "updated_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("related_rows", "company", "name", "status", "status_reason", "body", "body_b")}),
        ("Sending", {"fields": ("phone_line", "scheduled_at", "daily_limit")}),
        ("Before the start", {"fields": ("estimate", "texts")}),
        ("Run", {"fields": ("started_at", "started_by", "resumed_at", "ended_at", "previous_run")}),
        ("Results", {"fields": ("progress", "report")}),
        ("Created", {"fields": ("created_by", "created_at", "updated_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if not isinstance(obj, Campaign) or obj.status == CampaignStatus.DRAFT:
            return fields
        fixed = {name for _, options in self.fieldsets for name in options["fields"]} - {*CHANGEABLE}
        return (*fields, *sorted(fixed - {*fields}))

    @admin.action(description="Start, or schedule for their time", permissions=["change"])
    def start(self, request: HttpRequest, queryset: Any) -> None:
        self._apply(request, queryset, lambda campaign: start_campaign(campaign=campaign, user=request.user))  # type: ignore[arg-type]

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        self._apply(request, queryset, lambda campaign: pause_campaign(campaign=campaign))

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        self._apply(request, queryset, lambda campaign: resume_campaign(campaign=campaign))

    @admin.action(description="Cancel for good", permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        self._apply(request, queryset, lambda campaign: cancel_campaign(campaign=campaign))

    def _apply(self, request: HttpRequest, queryset: Any, change: Callable[[Campaign], Campaign]) -> None:
        """Change each campaign, and say what became of it or why it is as before."""
        for campaign in queryset:
            try:
                with tenant(campaign.company_id):
                    changed = change(campaign)
                self.message_user(request, f"{campaign}: {CampaignStatus(changed.status).label.lower()}.")
            except Refusal as refusal:
                self.message_user(request, f"{campaign}: {refusal}", messages.ERROR)


@admin.register(CampaignMembership)
class CampaignMembershipAdmin(ExactSearch, RowAdmin):
    list_display = ("campaign", "contact", "step", badge("status"), "reason", "company", moment("sent_at"))
    list_select_related = ("campaign", "contact", "company")
    list_filter = ("status", "sent_at", "company")
    search_help_text = "The contact's name or phone number, or # and the membership's ID, such as #12."
    autocomplete_fields = ("company", "campaign", "contact")
    fields = (
        "company", "campaign", "contact", "step", "variant", "status", "reason", "due_at", "sent_at", "sms_segments",
        "booked_at", "created_at",
    )  # fmt: skip
    readonly_fields = (
        "step", "variant", "status", "reason", "due_at", "sent_at", "sms_segments", "booked_at", "created_at"
    )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: CampaignMembership | None = None) -> bool:
        return False  # it is evidence, which sending writes

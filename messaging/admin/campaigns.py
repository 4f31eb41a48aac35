"""Admin for campaigns and campaign memberships."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest

from crm.admin.base.columns import badge, moment
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.search import ExactSearch
from crm.admin.base.wall_clock import describe_moment
from crm.choices import CampaignStatus, MembershipStatus
from crm.db.tenancy import tenant
from crm.models import Campaign, CampaignMembership, CampaignStep
from crm.refusals import Refusal
from messaging.admin.campaign_forms import CampaignForm, CampaignMembershipForm, CampaignStepForm
from messaging.admin.campaign_pages import CampaignPages
from messaging.admin.campaign_panel import panel_of
from messaging.admin.campaign_results import CampaignResults
from messaging.services.campaigns.audience import add_member, split_variants
from messaging.services.campaigns.deletion import DELETABLE, delete_campaign, delete_membership, kept_memberships
from messaging.services.campaigns.drafts import CHANGEABLE, MAX_STEPS, set_steps
from messaging.services.campaigns.runs import pause_campaign

BEFORE_START, RUN = "Before the start", "Run and results"
WHEN = ("scheduled_at", "scheduled", "recurrence", "repeats")  # as fields, and in words


class CampaignStepInline(admin.StackedInline):
    """Further messages: changed with the draft, and by those who may change it."""

    model = CampaignStep
    form = CampaignStepForm
    fields = ("delay_minutes", "body", "row_version")
    ordering = ("step",)
    extra = 0
    max_num = MAX_STEPS
    verbose_name = "further message"

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        return super().get_formset(request, obj, **{"validate_max": True, **options})

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_open = not isinstance(obj, Campaign) or obj.status == CampaignStatus.DRAFT
        return is_open and request.user.has_perm("crm.change_campaign")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("crm.view_campaign") or request.user.has_perm("crm.change_campaign")


@admin.register(Campaign)
class CampaignAdmin(CampaignPages, CampaignResults, RowAdmin):
    """Admin for thousands of rows: every column may be searched and sorted.

    The status follows from the actions. What is sent changes only in a draft.
    """

    form = CampaignForm
    inlines = (CampaignStepInline,)
    actions = ("pause",)
    list_display = (
        "name",
        badge("status", lambda status: CampaignStatus(status).color),
        "purpose",
        "company",
        "phone_line",
        "scheduled",
        moment("created_at"),
    )
    list_select_related = ("company", "phone_line")
    list_filter = ("status", "purpose", "company")
    search_fields = ("name",)
    sortable_by = None
    autocomplete_fields = ("company", "phone_line", "segment")
    readonly_fields = (
        "related_rows", "scheduled", "started_at", "started_by", "resumed_at", "ended_at", "previous_run", "estimate",
        "texts", "report", "repeats", "created_by", "created_at", "updated_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("related_rows", "company", "name", "purpose", "body", "body_b")}),
        ("Sending", {"fields": ("phone_line", "segment", *WHEN, "daily_limit")}),
        (BEFORE_START, {"fields": ("estimate", "texts")}),
        (RUN, {"fields": ("report", "started_at", "started_by", "resumed_at", "ended_at", "previous_run")}),
        ("Created", {"fields": ("created_by", "created_at", "updated_at")}),
    )

    class Media:
        js = ("messaging/campaigns.js",)
        css = {"all": ("crm/figures.css", "messaging/campaigns.css")}

    @admin.display(description="scheduled at", ordering="scheduled_at")
    def scheduled(self, campaign: Campaign) -> str:
        return describe_moment(campaign.scheduled_at, campaign.company.zone)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        if not isinstance(obj, Campaign) or obj.status == CampaignStatus.DRAFT:
            return fields
        fixed = {name for _, options in self.fieldsets for name in options["fields"]} - {*CHANGEABLE}
        return (*fields, *sorted(fixed - {*fields}))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Show a draft's time and rule as fields, others in words; and what matters before or after the start."""
        fieldsets = super().get_fieldsets(request, obj)
        if not isinstance(obj, Campaign):
            return fieldsets
        is_draft = obj.status == CampaignStatus.DRAFT
        has_started = obj.status not in (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
        is_changed = is_draft and self.has_change_permission(request, obj)
        left_out = {"repeats", "scheduled"} if is_changed else {"recurrence", "scheduled_at"}
        shown = [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name not in left_out)})
            for title, options in fieldsets
            if title != (BEFORE_START if has_started else RUN)
        ]
        return sorted(shown, key=lambda fieldset: fieldset[0] != RUN)  # the results first

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        campaign = options.get("obj")
        if campaign is not None:
            context["panel"] = panel_of(campaign, self.has_change_permission(request, campaign))
        return super().render_change_form(request, context, *args, **options)

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "body_b" in form.changed_data:
            split_variants(campaign=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_idle = not isinstance(obj, Campaign) or obj.status in DELETABLE
        return is_idle and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name what keeps a campaign: memberships that show what happened, or its next run. The rest goes with it."""
        kept = [
            f"{number:,} memberships show what happened"
            for campaign in objs
            if (number := kept_memberships(campaign=campaign).count())
        ]
        kept += [f"Next run: {run}" for run in Campaign.objects.filter(previous_run__in=objs)]
        return (
            [f"{campaign}, with its further messages and the contacts who wait" for campaign in objs],
            {},
            set(),
            kept,
        )

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        with tenant(obj.company_id):
            delete_campaign(campaign=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Replace all further messages: their numbers have no gaps."""
        formset.save(commit=False)  # notes what has changed, for the history
        if formset.has_changed():
            kept = [each.cleaned_data for each in formset.forms if each.cleaned_data.get("body")]
            steps = [
                {"delay_minutes": data["delay_minutes"], "body": data["body"]}
                for data in kept
                if not data.get("DELETE")
            ]
            set_steps(campaign=form.instance, steps=steps)

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        """Pause at once, without a page between: somebody has found a fault."""
        for campaign in queryset:
            try:
                with tenant(campaign.company_id):
                    changed = pause_campaign(campaign=campaign)
                self.message_user(request, f"{campaign}: {CampaignStatus(changed.status).label.lower()}.")
            except Refusal as refusal:
                self.message_user(request, f"{campaign}: {refusal}", messages.ERROR)


@admin.register(CampaignMembership)
class CampaignMembershipAdmin(ExactSearch, RowAdmin):
    form = CampaignMembershipForm
    list_display = ("campaign", "contact", "step", badge("status"), "reason", "company", moment("sent_at"))
    list_select_related = ("campaign", "contact", "company")
    list_filter = ("status", "sent_at", "company", "campaign", "contact")
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

    def has_delete_permission(self, request: HttpRequest, obj: CampaignMembership | None = None) -> bool:
        is_waiting = obj is None or obj.status == MembershipStatus.PENDING
        return is_waiting and super().has_delete_permission(request, obj)

    def lock_row(self, row: Any) -> None:
        """Leave it to the service, which locks the message first, as the worker does. Another order could deadlock."""

    def delete_model(self, request: HttpRequest, obj: CampaignMembership) -> None:
        with tenant(obj.company_id):
            delete_membership(membership=obj)

    def save_model(self, request: HttpRequest, obj: CampaignMembership, form: Any, change: bool) -> None:
        obj.pk = add_member(campaign_id=obj.campaign_id, contact=obj.contact).pk

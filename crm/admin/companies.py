"""Admin for companies and phone lines."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from crm.admin.base.columns import moment
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.versions import VersionedForm
from crm.form_fields import PhoneFormField
from crm.models import Company, PhoneLine
from crm.services.companies import beginning_of_pause, change_timezone


class CompanyAdmin(RowAdmin):
    """Admin for hundreds of rows: every column may be searched and sorted.

    A higher app registers it with the state of the set-up.
    """

    form = VersionedForm
    list_display = ("name", "slug", "timezone", "currency", moment("created_at"))
    search_fields = ("name", "slug")
    sortable_by = None
    ordering = ("name",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "slug",
                    "retention_days",
                    "recording_retention_days",
                    "close_conversations_after_days",
                ),
            },
        ),
        (
            "Automatic texts",
            {
                "fields": (
                    "missed_call_text",
                    "after_hours_text",
                    "working_hours",
                    "quiet_hours_start",
                    "quiet_hours_end",
                    "opt_out_text",
                ),
            },
        ),
        (
            "Campaigns and reminders",
            {
                "fields": (
                    "require_marketing_consent",
                    "campaign_interval_days",
                    "daily_segment_limit",
                    "segment_price_micros",
                    "appointment_reminders",
                    "reminder_text_24h",
                    "reminder_text_2h",
                    "on_the_way_text",
                ),
            },
        ),
        (
            "Time zone and currency",
            {
                "fields": ("timezone", "currency", "created_at"),
                "description": "A new time zone applies to future appointments; past ones keep theirs.",
            },
        ),
    )
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Make the slug read-only: providers hold URLs with it."""
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def get_prepopulated_fields(self, request: HttpRequest, obj: Company | None = None) -> Any:
        return {} if obj else {"slug": ("name",)}

    def has_delete_permission(self, request: HttpRequest, obj: Company | None = None) -> bool:
        return False  # the confirmation page would load every row of the company

    def save_model(self, request: HttpRequest, obj: Company, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "timezone" in form.changed_data:
            change_timezone(company=obj, timezone=obj.timezone, now=now())


class NamedFilter(admin.SimpleListFilter):
    title = "name"
    parameter_name = "named"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "Unnamed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        return queryset.unnamed() if self.value() == "no" else None


LIMITS = ("daily_cap", "sent_on", "sent_segments", "paused_until", "paused_at", "pause_reason")


class PhoneLineForm(RowForm):
    number = PhoneFormField(
        required=False, help_text="In any format. Leave empty while only the provider's ID is known."
    )


@admin.register(PhoneLine)
class PhoneLineAdmin(RowAdmin):
    """Admin for thousands of rows: every column may be searched and sorted."""

    form = PhoneLineForm
    list_display = ("__str__", "number", "company", "provider", "provider_id", moment("created_at"))
    list_select_related = ("company",)
    list_filter = (NamedFilter, "provider", "company")
    search_fields = ("name", "number", "provider_id")
    sortable_by = None
    autocomplete_fields = ("company",)
    fieldsets = (
        (None, {"fields": ("company", "name", "number", "provider", "provider_id", "created_at")}),
        ("Sending limits", {"fields": LIMITS}),
    )
    readonly_fields = ("created_at", "sent_on", "sent_segments", "paused_at")

    def save_model(self, request: HttpRequest, obj: PhoneLine, form: forms.ModelForm, change: bool) -> None:
        if "paused_until" in form.changed_data:
            obj.paused_at = beginning_of_pause(obj, until=obj.paused_until, was_until=form.initial.get("paused_until"))
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: PhoneLine | None = None) -> bool:
        return False  # calls and messages refer to it, without an index for each reference

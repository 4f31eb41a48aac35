"""What staff see of calls and visits."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timezone import now

from calls.choices import CallStatus
from calls.models import Appointment, Call, CallDetail, MissedCaller
from crm.admin.base.cards import Card
from crm.admin.base.columns import badge, excerpt, moment, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin
from crm.admin.base.pagination import format_count
from crm.admin.base.search import ExactSearch


class AppointmentInline(admin.TabularInline):
    """What was booked from a call."""

    model = Appointment
    fields = readonly_fields = ("date", "time", "timezone", "assigned_rep", "status")
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("assigned_rep")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class CallForm(RowForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "status" in cleaned:
            self.instance.set_status(cleaned["status"])
        return cleaned


@admin.register(Call)
class CallAdmin(ExactSearch, RowAdmin):
    """What the provider told of a call stays as it was; what became of it may be corrected."""

    form = CallForm
    inlines = (AppointmentInline,)
    list_display = (
        moment("created_at"),
        "contact",
        "from_number",
        "direction",
        badge("status", lambda status: CallStatus(status).color),
        "assigned_rep",
        "company",
    )
    list_select_related = ("contact", "assigned_rep", "company")
    list_filter = ("status", "booked", "created_at", "company")
    ordering = ("-created_at",)
    search_help_text = "The contact's phone number, in any spelling, or the call's id."
    autocomplete_fields = ("assigned_rep",)
    raw_id_fields = ("lead",)
    fieldsets = (
        ("The sale", {"fields": ("status", "lead", "assigned_rep", "quoted_price", "reason_for_lost_sale")}),
        ("The call", {"fields": ("company", "contact", "phone_line", "direction", "from_number", "to_number")}),
        ("Times", {"fields": ("created_at", "answered_at", "completed_at", "duration")}),
        ("Evidence", {"fields": ("activity", "recording_url", "voicemail_url", "related_rows")}),
    )
    readonly_fields = (
        "company",
        "contact",
        "phone_line",
        "direction",
        "from_number",
        "to_number",
        "created_at",
        "answered_at",
        "completed_at",
        "duration",
        "activity",
        "recording_url",
        "voicemail_url",
        "related_rows",
    )

    @admin.display(description="duration")
    def duration(self, call: Call) -> str:
        return "" if call.duration_s is None else str(timedelta(seconds=call.duration_s))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a call without a delivery would be missing from its contact's history

    def get_cards(self) -> list[Card]:
        calls = Call.objects.created_between(now() - timedelta(hours=24), None)
        url = reverse("admin:calls_call_changelist")
        return [Card("Calls", format_count(calls, most=10_000), "in the last 24 hours", url)]


@admin.register(CallDetail)
class CallDetailAdmin(ExactSearch, ReadOnlyAdmin):
    """What was told of a call beside that it happened. One without a call was told first, and waits for it."""

    list_display = (moment("created_at"), "call", excerpt("summary"), "openphone_id", "company")
    list_select_related = ("call", "company")
    search_ids = ("pk", "call")
    search_contact = ""
    search_help_text = "The call's id, or that of its details."
    fieldsets = (
        (None, {"fields": ("company", "call", "openphone_id", "summary", "steps", "voicemail_transcript")}),
        ("On the phone", {"fields": ("forwarded_to", "menu_choice", "files", "words", "created_at")}),
    )

    @admin.display(description="next steps")
    def steps(self, detail: CallDetail) -> str:
        return " ".join(detail.next_steps)

    @admin.display(description="recordings")
    def files(self, detail: CallDetail) -> SafeString:
        return pretty_json(detail.recordings)

    @admin.display(description="transcript")
    def words(self, detail: CallDetail) -> SafeString:
        return pretty_json(detail.transcript)


class StartFilter(admin.SimpleListFilter):
    """Django's own filter by date looks back only; visits lie ahead."""

    title = "start"
    parameter_name = "start"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("day", "Next 24 hours"), ("week", "Next 7 days"), ("past", "Past 7 days")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        days = {"day": (0, 1), "week": (0, 7), "past": (-7, 0)}.get(self.value() or "")
        if days is None:
            return None
        return queryset.starting_between(*(now() + timedelta(days=day) for day in days))


class AppointmentForm(RowForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            self.fields["timezone"].required = False
            self.fields["timezone"].help_text = "Empty: the company's."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("timezone") and self.company:
            cleaned["timezone"] = self.company.timezone
        return cleaned


@admin.register(Appointment)
class AppointmentAdmin(ExactSearch, RowAdmin):
    form = AppointmentForm
    list_display = ("date", "time", "timezone", "contact", badge("status"), "assigned_rep", "company")
    list_select_related = ("contact", "assigned_rep", "company")
    list_filter = ("status", StartFilter, "company")
    ordering = ("-date", "-time")
    time_field = "scheduled_start"
    search_help_text = "The contact's phone number, in any spelling, or the visit's id."
    autocomplete_fields = ("company", "contact", "assigned_rep")
    fieldsets = (
        (None, {"fields": ("company", "contact", "assigned_rep", "status", "notes")}),
        (
            "When",
            {
                "fields": ("scheduled_start", "scheduled_end", "timezone", ("date", "time")),
                "description": "Start and end are entered in UTC. Date and time follow from them, by the clock of the "
                "visit's own time zone.",
            },
        ),
        ("From", {"fields": ("call", "lead", "created_at", "updated_at")}),
    )
    readonly_fields = ("date", "time", "call", "lead", "created_at", "updated_at")


@admin.register(MissedCaller)
class MissedCallerAdmin(ExactSearch, ReadOnlyAdmin):
    list_display = (
        moment("last_missed_at"),
        "contact",
        "missed_calls",
        badge("text_back"),
        moment("recovered_at"),
        "recovered_by",
        "company",
    )
    list_select_related = ("contact", "company")
    list_filter = ("company",)
    time_field = "last_missed_at"
    search_help_text = "The contact's phone number, in any spelling, or the row's id."
    fieldsets = (
        (None, {"fields": ("company", "contact", "phone_line", "missed_calls", "first_missed_at", "last_missed_at")}),
        ("The text back", {"fields": ("text_back", "text_back_reason")}),
        ("Reached", {"fields": ("recovered_at", "recovered_by")}),
    )

"""Admin for calls, call details, appointments and missed callers."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from calls.choices import CallStatus
from calls.models import Appointment, Call, CallDetail, MissedCaller
from calls.services.booking import SlotTaken, StartOutOfRange, book_appointment, change_appointment, check_start
from calls.services.outcomes import LeadFixed, change_call
from crm.admin.base.columns import badge, excerpt, moment, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin, refusal_of
from crm.admin.base.prefilled import ContactPrefilled
from crm.admin.base.search import ExactSearch
from crm.admin.base.wall_clock import LocalTimesForm, describe_moment
from crm.db.tenancy import tenant


class AppointmentInline(admin.TabularInline):
    """Appointments booked from a call."""

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
        if cleaned.get("status") != CallStatus.LOST and "reason_for_lost_sale" not in self.changed_data:
            cleaned["reason_for_lost_sale"] = ""  # the sale is no longer lost
        lead = cleaned.get("lead")
        if lead and lead.contact_id != self.instance.contact_id:
            self.add_error("lead", "This lead belongs to another contact.")
        if "status" in cleaned:
            self.instance.booked = CallStatus(cleaned["status"]).booked
            if "lead" in cleaned and not lead and self.initial.get("lead") and self.instance.booked:
                self.add_error("lead", str(LeadFixed()))
        return cleaned


class CallAdmin(ExactSearch, RowAdmin):
    """The form of calls: fields from the provider are read-only, and the outcome may be corrected.

    A higher app registers it with the calls' analyses.
    """

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
    deletion_help = (
        "Open each appointment and clear its call, or delete the appointment. Then delete the call. If only its"
        " outcome is wrong, change the status instead."
    )
    search_help_text = "The contact's name or phone number, or # and the call's ID, such as #12."
    autocomplete_fields = ("assigned_rep",)
    raw_id_fields = ("lead",)
    fieldsets = (
        ("Outcome", {"fields": ("status", "lead", "assigned_rep", "quoted_price", "reason_for_lost_sale")}),
        ("Call", {"fields": ("company", "contact", "phone_line", "direction", "from_number", "to_number")}),
        ("Times", {"fields": ("created_at", "answered_at", "completed_at", "duration")}),
        ("Records", {"fields": ("activity", "recording_url", "voicemail_url", "related_rows")}),
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

    def save_model(self, request: HttpRequest, obj: Call, form: Any, change: bool) -> None:
        change_call(call=obj, **{name: form.cleaned_data[name] for name in form.changed_data})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a call without an activity would be missing from its contact's timeline


@admin.register(CallDetail)
class CallDetailAdmin(ExactSearch, ReadOnlyAdmin):
    """Details of calls; details without a call arrived first and wait for it."""

    list_display = (moment("created_at"), "call", excerpt("summary"), "openphone_id", "company")
    list_select_related = ("call", "company")
    search_ids = ("pk", "call")
    search_plain_ids = True
    search_contact = ""
    search_help_text = "The ID of the call or of its details."
    fieldsets = (
        (None, {"fields": ("company", "call", "openphone_id", "summary", "steps", "voicemail_transcript")}),
        (
            "Recording and transcript",
            {"fields": ("forwarded_to", "menu_choice", "recordings_json", "transcript_json", "created_at")},
        ),
    )

    @admin.display(description="next steps")
    def steps(self, detail: CallDetail) -> str:
        return " ".join(detail.next_steps)

    @admin.display(description="recordings")
    def recordings_json(self, detail: CallDetail) -> SafeString:
        return pretty_json(detail.recordings)

    @admin.display(description="transcript")
    def transcript_json(self, detail: CallDetail) -> SafeString:
        return pretty_json(detail.transcript)


class StartFilter(admin.SimpleListFilter):
    """Filter by start. Django's date filter covers the past only."""

    title = "start"
    parameter_name = "start"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("day", "Next 24 hours"), ("week", "Next 7 days"), ("past", "Past 7 days")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet | None:
        days = {"day": (0, 1), "week": (0, 7), "past": (-7, 0)}.get(self.value() or "")
        if days is None:
            return None
        return queryset.starting_between(*(now() + timedelta(days=day) for day in days))


TIMES = ("scheduled_start", "scheduled_end")


class AppointmentForm(LocalTimesForm):
    """Start and end are typed and shown in the appointment's time zone."""

    local_times = TIMES

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            self.fields["timezone"].required = False
            self.fields["timezone"].help_text = "Empty: taken from the company."

    def present_zone(self) -> str:
        return str(self.instance.timezone)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("timezone") and self.company:
            cleaned["timezone"] = self.company.timezone
        if cleaned.get("timezone") in available_timezones():
            self.read_times(cleaned, ZoneInfo(cleaned["timezone"]), also=["timezone"])
        if "scheduled_start" in self.changed_data and "scheduled_start" in cleaned:
            try:
                check_start(cleaned["scheduled_start"])
            except StartOutOfRange as error:
                self.add_error("scheduled_start", str(error))
        contact, call = cleaned.get("contact"), cleaned.get("call")
        if call and contact and contact.pk != call.contact_id:
            self.add_error("contact", "The appointment was booked from a call of another contact.")
        return cleaned


@admin.register(Appointment)
class AppointmentAdmin(ContactPrefilled, ExactSearch, RowAdmin):
    form = AppointmentForm
    list_display = ("date", "time", "timezone", "contact", badge("status"), "assigned_rep", "company")
    list_select_related = ("contact", "assigned_rep", "company")
    list_filter = ("status", StartFilter, "company")
    ordering = ("-date", "-time")
    time_field = "scheduled_start"
    search_help_text = "The contact's name or phone number, or # and the appointment's ID, such as #12."
    autocomplete_fields = ("company", "contact", "assigned_rep")
    fieldsets = (
        (None, {"fields": ("company", "contact", "assigned_rep", "allow_overlap", "status", "notes")}),
        (
            "When",
            {
                "fields": ("scheduled_start", "scheduled_end", "timezone"),
                "description": "Enter the local time of the appointment, such as 9:00, in its time zone.",
            },
        ),
        ("Origin", {"fields": ("call", "lead", "created_at", "updated_at")}),
    )
    raw_id_fields = ("call",)
    readonly_fields = ("lead", "created_at", "updated_at")

    @admin.display(description="scheduled start")
    def start_shown(self, appointment: Appointment) -> str:
        return describe_moment(appointment.scheduled_start, ZoneInfo(appointment.timezone))

    @admin.display(description="scheduled end")
    def end_shown(self, appointment: Appointment) -> str:
        return describe_moment(appointment.scheduled_end, ZoneInfo(appointment.timezone))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "start_shown", "end_shown")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Show readers the local time: Django would show them UTC."""
        if obj is None or self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        who, _, origin = self.fieldsets
        return [who, ("When", {"fields": ("start_shown", "end_shown", "timezone")}), origin]

    def save_model(self, request: HttpRequest, obj: Appointment, form: Any, change: bool) -> None:
        if not change:
            names = ("contact", "call", "assigned_rep", "allow_overlap", "status", "notes", "timezone", *TIMES)
            values = {name: getattr(obj, name) for name in names}
            with refusal_of(SlotTaken), tenant(obj.company_id):
                booked = book_appointment(company=obj.company, **values)
            obj.pk, obj._state.adding = booked.pk, False
            return
        # The same typed time is another instant in another zone.
        changed = {*form.changed_data, *(TIMES if "timezone" in form.changed_data else ())}
        changes = {name: form.cleaned_data[name] for name in changed}
        changes |= {"timezone": obj.timezone, "allow_overlap": obj.allow_overlap}
        with refusal_of(SlotTaken):
            change_appointment(appointment=obj, **changes)


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
    search_help_text = "The contact's name or phone number, or # and the row's ID, such as #12."
    fieldsets = (
        (None, {"fields": ("company", "contact", "phone_line", "missed_calls", "first_missed_at", "last_missed_at")}),
        ("Text back", {"fields": ("text_back", "text_back_reason")}),
        ("Recovery", {"fields": ("recovered_at", "recovered_by")}),
    )

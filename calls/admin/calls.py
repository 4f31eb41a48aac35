"""Admin for calls and call details."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from calls.choices import CallStatus
from calls.models import Appointment, Call, CallDetail
from calls.services.outcomes import LeadFixed, change_call
from crm.admin.base.columns import badge, excerpt, moment, pretty_json
from crm.admin.base.forms import RowForm
from crm.admin.base.model_admin import ReadOnlyAdmin, RowAdmin
from crm.admin.base.search import ExactSearch


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
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "quoted_price" in self.fields:
            self.fields["quoted_price"].help_text = f"In {self.instance.company.currency}."

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
    list_filter = ("status", "booked", "created_at", "company", "contact", "assigned_rep")
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

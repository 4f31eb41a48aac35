"""Admin for appointments."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from calls.admin.appointment_day import Day, day_of
from calls.admin.appointment_moves import move_view
from calls.admin.appointment_week import Week, week_of
from calls.admin.files import latest_files
from calls.admin.free_slots import free_days_of, initial_of
from calls.admin.time_off import warn_of_time_off
from calls.models import Appointment
from calls.services.booking import SlotTaken, StartOutOfRange, book_appointment, change_appointment, check_start
from crm.admin.base.columns import badge
from crm.admin.base.model_admin import RowAdmin, refusal_of
from crm.admin.base.prefilled import ContactPrefilled
from crm.admin.base.range_filters import CalendarFilter
from crm.admin.base.search import ExactSearch
from crm.admin.base.wall_clock import LocalTimesForm, describe_moment
from crm.db.tenancy import tenant
from crm.form_fields import is_id
from crm.models import Company

MAX_COMPANIES = 90  # in the choice; any other is found by its ID


class StartFilter(CalendarFilter):
    """Appointments to come, unless other rows are asked for."""

    default = "coming"


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


class AppointmentAdmin(ContactPrefilled, ExactSearch, RowAdmin):
    change_list_template = "admin/calls/appointment/change_list.html"
    form = AppointmentForm
    list_display = ("date", "time", "timezone", "contact", badge("status"), "assigned_rep", "company")
    list_select_related = ("contact", "assigned_rep", "company")
    list_filter = ("status", ("scheduled_start", StartFilter), "company", "contact", "assigned_rep")
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
        ("Origin", {"fields": ("call", "lead", "on_the_way_at", "created_at", "updated_at")}),
    )
    raw_id_fields = ("call",)
    readonly_fields = ("lead", "on_the_way_at", "created_at", "updated_at")

    class Media:
        css = {"all": ("calls/appointments.css", "calls/files.css")}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("week", view(self.week_view), name="calls_appointment_week"),
            path("day", view(self.day_view), name="calls_appointment_day"),
            path("<int:appointment_id>/move", view(self.move_view), name="calls_appointment_move"),
            *super().get_urls(),
        ]

    def week_view(self, request: HttpRequest) -> HttpResponse:
        """Show a week of a company's appointments by rep, in the company's time zone."""
        return self.calendar_page(request, "week", week_of)

    def day_view(self, request: HttpRequest) -> HttpResponse:
        """Show a day of a company's appointments by rep and hour, in the company's time zone."""
        return self.calendar_page(request, "day", day_of)

    def move_view(self, request: HttpRequest, appointment_id: int) -> HttpResponse:
        return move_view(self, request, appointment_id)

    def calendar_page(
        self, request: HttpRequest, view: str, read: Callable[[Company, str], Week | Day]
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        companies = list(Company.objects.order_by("name", "pk")[:MAX_COMPANIES])
        chosen = request.GET.get("company", "")
        company = Company.objects.filter(pk=chosen).first() if is_id(chosen) else next(iter(companies), None)
        context = self.admin_site.each_context(request) | {
            "title": f"Appointments of a {view}: {company}" if company else f"Appointments of a {view}",
            "opts": self.opts,
            "media": self.media,
            "companies": companies,
            "view": view,
            "calendar": read(company, request.GET.get("day", "")) if company else None,
            "may_add": self.has_add_permission(request),
            "may_move": self.has_change_permission(request),
        }
        return TemplateResponse(request, f"admin/calls/appointment/{view}.html", context)

    def company_of_new(self, request: HttpRequest) -> Company | None:
        """Return the company of `?contact=` or of `?company=`, of which the page offers free slots."""
        initial = super().get_changeform_initial_data(request)
        chosen = str(initial.get("company") or request.GET.get("company", ""))
        return Company.objects.filter(pk=chosen).first() if is_id(chosen) else None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial, company = super().get_changeform_initial_data(request), self.company_of_new(request)
        return initial | {"company": company.pk} | initial_of(company, request.GET) if company else initial

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        appointment = options.get("obj")
        if appointment is not None:
            context |= latest_files(request, appointment)
        elif company := self.company_of_new(request):
            context |= {"free": free_days_of(company, request.GET)}
        return super().render_change_form(request, context, *args, **options)

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
            warn_of_time_off(request, obj)
            return
        # The same typed time is another instant in another zone.
        changed = {*form.changed_data, *(TIMES if "timezone" in form.changed_data else ())}
        changes = {name: form.cleaned_data[name] for name in changed}
        changes |= {"timezone": obj.timezone, "allow_overlap": obj.allow_overlap}
        with refusal_of(SlotTaken):
            change_appointment(appointment=obj, **changes)
        if {"assigned_rep", *TIMES} & changed:
            warn_of_time_off(request, obj)

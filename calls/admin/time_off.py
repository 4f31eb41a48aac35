"""Admin for time off."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from calls.choices import AppointmentStatus
from calls.models import Appointment, TimeOff
from crm.admin.base.columns import local_moment
from crm.admin.base.model_admin import RowAdmin
from crm.admin.base.range_filters import CalendarFilter
from crm.admin.base.wall_clock import LocalTimesForm


class TimeOffForm(LocalTimesForm):
    """Start and end are typed and shown in the company's time zone."""

    local_times = ("starts_at", "ends_at")

    def present_zone(self) -> str:
        return str(self.instance.company.timezone) if self.instance.company_id else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.company:
            self.read_times(cleaned, self.company.zone)
        return cleaned


@admin.register(TimeOff)
class TimeOffAdmin(RowAdmin):
    form = TimeOffForm
    list_display = ("rep", local_moment("starts_at"), local_moment("ends_at"), "reason", "company")
    list_select_related = ("rep", "company")
    list_filter = (("starts_at", CalendarFilter), "company", "rep")
    time_field = "starts_at"
    autocomplete_fields = ("company", "rep")
    fields = ("company", "rep", "starts_at", "ends_at", "reason", "created_at", "updated_at")
    readonly_fields = ("created_at", "updated_at")


def warn_of_time_off(request: HttpRequest, appointment: Appointment) -> None:
    """Tell staff if the rep has time off at the time of an appointment, which stands all the same."""
    if appointment.assigned_rep_id is None or appointment.status == AppointmentStatus.CANCELLED:
        return
    found = TimeOff.objects.within(appointment.scheduled_start, appointment.scheduled_end)
    if off := found.filter(rep=appointment.assigned_rep_id).order_by("starts_at").first():
        reason = f" ({off.reason})" if off.reason else ""
        messages.warning(request, f"{appointment.assigned_rep} has time off then{reason}. The appointment stands.")

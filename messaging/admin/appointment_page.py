"""Admin for appointments, whose page tells the contact that the rep is on the way."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from calls.admin.appointments import AppointmentAdmin
from calls.choices import COMING
from calls.models import Appointment, AppointmentProposal
from crm.admin.base.wall_clock import describe_moment
from crm.db.tenancy import tenant
from crm.models import User
from crm.refusals import Refusal
from crm.services.audited_actions import record_staff_action
from messaging.services.outbound.on_the_way import MAX_MINUTES, SOON, send_on_the_way, was_told


class MinutesForm(forms.Form):
    minutes = forms.IntegerField(min_value=1, max_value=MAX_MINUTES, initial=20, label="Minutes until the rep is there")


@admin.register(Appointment)
class AppointmentPageAdmin(AppointmentAdmin):
    change_form_template = "admin/calls/appointment/page.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.on_the_way_view))
        return [
            path("<int:appointment_id>/on-the-way", view, name="calls_appointment_on_the_way"),
            *super().get_urls(),
        ]

    def on_the_way_view(self, request: HttpRequest, appointment_id: int) -> HttpResponse:
        """Text the contact that the rep is on the way."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        rows = Appointment.objects.select_related("company", "contact", "assigned_rep", "call__phone_line")
        appointment = rows.filter(pk=appointment_id).first()
        if appointment is None:
            raise Http404
        user, form = cast(User, request.user), MinutesForm(request.POST)
        if not form.is_valid():
            messages.error(request, f"Enter a number of minutes from 1 to {MAX_MINUTES}.")
            return self._to_page(appointment)
        minutes = form.cleaned_data["minutes"]
        try:
            with tenant(appointment.company_id), transaction.atomic():
                send_on_the_way(appointment=appointment, minutes=minutes, user=user)
                changes = {"on_the_way_minutes": (None, minutes)}
                record_staff_action(user=user, table="appointments", row_id=appointment.pk, changes=changes)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "The contact is told that the rep is on the way.")
        return self._to_page(appointment)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        appointment = options.get("obj")
        if appointment is not None:
            told = appointment.on_the_way_at if was_told(appointment) else None
            is_soon = appointment.status in COMING and abs(appointment.scheduled_start - now()) <= SOON
            context |= {
                "appointment": appointment,
                "proposal": AppointmentProposal.objects.open().filter(appointment=appointment).first(),
                "told_at": describe_moment(told, appointment.zone) if told else "",
                "minutes_form": MinutesForm()
                if is_soon and told is None and self.has_change_permission(request, appointment)
                else None,
            }
        return super().render_change_form(request, context, *args, **options)

    def _to_page(self, appointment: Appointment) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:calls_appointment_change", args=[appointment.pk]))

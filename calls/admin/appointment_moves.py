"""Moves of an appointment to another time or rep: by a form, which dragging it in the calendar sends, too."""

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from calls.admin.appointment_slots import NOBODY, active_reps, place_of
from calls.admin.time_off import warn_of_time_off
from calls.models import Appointment
from calls.services.booking import SlotTaken, StartOutOfRange, change_appointment, check_start
from crm.admin.base.wall_clock import read_in
from crm.form_fields import DayFormField, TimeFormField, is_id
from crm.models import User

VIEWS = {"week": "calls_appointment_week", "day": "calls_appointment_day"}


class MoveForm(forms.Form):
    """Day and time are typed in the appointment's time zone. The length stays."""

    day = DayFormField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = TimeFormField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    rep = forms.ChoiceField(required=False)
    allow_overlap = forms.BooleanField(required=False, label="Allow another appointment of the rep at the same time")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    view = forms.ChoiceField(required=False, choices=[(name, name) for name in VIEWS], widget=forms.HiddenInput)

    def __init__(self, *args: Any, appointment: Appointment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.appointment, self.zone = appointment, ZoneInfo(appointment.timezone)
        present = [appointment.assigned_rep] if appointment.assigned_rep else []
        self.reps = {str(rep.pk): rep for rep in [*present, *active_reps(appointment.company)]}
        choices = [("", NOBODY), *((pk, str(rep)) for pk, rep in self.reps.items())]
        cast(forms.ChoiceField, self.fields["rep"]).choices = choices
        self.fields["time"].help_text = f"Local time in {self.zone.key}."
        local = appointment.scheduled_start.astimezone(self.zone)
        present_place = {"day": local.date(), "time": local.time(), "rep": str(appointment.assigned_rep_id or "")}
        self.initial = {**present_place, **self.initial, "seen": place_of(appointment)}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("seen") and cleaned["seen"] != place_of(self.appointment):
            raise forms.ValidationError("Somebody has moved this appointment since. Look at its present time below.")
        if "day" in cleaned and "time" in cleaned:
            try:
                cleaned["start"] = start = read_in(datetime.combine(cleaned["day"], cleaned["time"]), self.zone)
                check_start(start)
            except forms.ValidationError as error:
                self.add_error("time", error)
            except StartOutOfRange as error:
                self.add_error("day", str(error))
        return cleaned

    @property
    def rep_chosen(self) -> User | None:
        return self.reps.get(self.cleaned_data["rep"])


def move_view(admin: Any, request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Ask where the appointment goes, and move it. A taken slot is refused unless the overlap is allowed."""
    if not admin.has_change_permission(request):
        raise PermissionDenied
    if not is_id(str(appointment_id)):
        raise Http404
    with transaction.atomic():
        return _show_or_move(admin, request, appointment_id)


def _show_or_move(admin: Any, request: HttpRequest, appointment_id: int) -> HttpResponse:
    rows = Appointment.objects.select_related("company", "contact", "assigned_rep")
    if request.method == "POST":  # of two moves at once, the second finds the place of the first
        rows = rows.select_for_update(of=("self",))
    appointment = get_object_or_404(rows, pk=appointment_id)
    if request.method == "POST":
        form = MoveForm(request.POST, appointment=appointment)
        if form.is_valid() and (moved := _move(appointment, form)):
            admin.log_change(request, moved, f"Moved to {describe_place(moved)}.")
            view = form.cleaned_data["view"] or "week"
            back = f"{reverse('admin:calls_appointment_move', args=[moved.pk])}?{_typed(appointment, view)}"
            text = '{} is moved to {}. <a href="{}">Put it back…</a>'
            warn_of_time_off(request, moved)
            messages.success(request, format_html(text, appointment.contact, describe_place(moved), back))
            return HttpResponseRedirect(_calendar(moved, view))
    else:
        asked = {name: request.GET[name] for name in ("day", "time", "rep", "view") if name in request.GET}
        form = MoveForm(initial=asked, appointment=appointment)
    context = admin.admin_site.each_context(request) | {
        "title": f"Move the appointment of {appointment.contact}",
        "opts": admin.opts,
        "media": admin.media,
        "appointment": appointment,
        "place": describe_place(appointment),
        "form": form,
        "back": _calendar(appointment, str(form["view"].value() or "week")),
    }
    return TemplateResponse(request, "admin/calls/appointment/move.html", context)


def describe_place(appointment: Appointment) -> str:
    zone = ZoneInfo(appointment.timezone)
    start, end = appointment.scheduled_start.astimezone(zone), appointment.scheduled_end.astimezone(zone)
    return f"{start:%a %Y-%m-%d %H:%M}–{end:%H:%M %Z}, {appointment.assigned_rep or NOBODY.lower()}"


def _move(appointment: Appointment, form: MoveForm) -> Appointment | None:
    """Move the appointment, or say at the form's field why not."""
    start = form.cleaned_data["start"]
    try:
        return change_appointment(
            appointment=appointment,
            scheduled_start=start,
            scheduled_end=start + (appointment.scheduled_end - appointment.scheduled_start),
            assigned_rep=form.rep_chosen,
            allow_overlap=form.cleaned_data["allow_overlap"],
        )
    except SlotTaken as taken:
        other = f": {taken.other.contact}, {describe_place(taken.other)}" if taken.other else ""
        text = f"The rep has another appointment then{other}. Choose another time or rep, or allow both."
        form.add_error("time", text)
        return None


def _typed(appointment: Appointment, view: str) -> str:
    """Return the parameters of the page that moves the appointment back to where it is."""
    start = appointment.scheduled_start.astimezone(ZoneInfo(appointment.timezone))
    rep = appointment.assigned_rep_id or ""
    return urlencode({"day": f"{start:%Y-%m-%d}", "time": f"{start:%H:%M}", "rep": rep, "view": view})


def _calendar(appointment: Appointment, view: str) -> str:
    """Return the page of the calendar on which the appointment is."""
    day = appointment.scheduled_start.astimezone(appointment.company.zone).date()
    page = reverse(f"admin:{VIEWS.get(view, VIEWS['week'])}")
    return f"{page}?company={appointment.company_id}&day={day}"

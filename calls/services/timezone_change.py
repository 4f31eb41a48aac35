"""Appointments after a change of the company's time zone."""

from datetime import datetime
from typing import Any

from calls.models import Appointment
from crm.db.tenancy import tenant
from crm.models import Company


def update_future_appointments(*, company: Company, now: datetime, **_signal: Any) -> None:
    """Move appointments from `now` on to the company's new time zone. Past ones keep their date and time."""
    with tenant(company.pk):
        Appointment.objects.filter(scheduled_start__gte=now).update(timezone=company.timezone)

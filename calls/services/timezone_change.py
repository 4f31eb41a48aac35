"""Visits of a company that moves to another time zone."""

from datetime import datetime
from typing import Any

from calls.models import Appointment
from crm.db.tenancy import tenant
from crm.models import Company


def update_future_appointments(*, company: Company, now: datetime, **_signal: Any) -> None:
    """Put visits that start at `now` or later on the company's new clock. Past ones keep the day they were on."""
    with tenant(company.pk):
        Appointment.objects.filter(scheduled_start__gte=now).update(timezone=company.timezone)

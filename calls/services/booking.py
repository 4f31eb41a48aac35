"""Booking of appointments."""

from datetime import datetime
from typing import Any

from django.db import transaction

from calls.choices import BOOKED, CallStatus, Recovery
from calls.models import Appointment, Call
from calls.services.missed_calls import mark_recovered
from crm.choices import LeadStatus
from crm.models import Company, Contact, Lead


def book_appointment(
    *,
    company: Company,
    contact: Contact,
    scheduled_start: datetime,
    scheduled_end: datetime,
    call: Call | None = None,
    **fields: Any,
) -> Appointment:
    """Create an appointment in the company's current time zone and remove the contact from the missed queue.

    An appointment from a call shares the call's lead, created if missing, and the call awaits a quote.
    """
    with transaction.atomic():
        lead = _book_call(call, contact) if call else None
        appointment = Appointment.objects.create(
            company=company,
            contact=contact,
            call=call,
            lead=lead,
            scheduled_start=scheduled_start,
            scheduled_end=scheduled_end,
            timezone=company.timezone,
            **fields,
        )
        mark_recovered(contact=contact, at=appointment.created_at, by=Recovery.BOOKING)
        return appointment


def _book_call(call: Call, contact: Contact) -> Lead:
    call = Call.objects.select_for_update().get(pk=call.pk)  # concurrent bookings must not create two leads
    if call.lead is None:
        call.lead = Lead.objects.create(company_id=call.company_id, contact=contact, source="call")
    if call.lead.status not in (LeadStatus.BOOKED, LeadStatus.WON):
        call.lead.status = LeadStatus.BOOKED
        call.lead.save(update_fields=["status", "updated_at"])
    if call.status not in BOOKED:
        call.set_status(CallStatus.AWAITING_QUOTE)
    call.save(update_fields=["lead", "status", "booked"])
    return call.lead

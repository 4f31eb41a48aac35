"""Outcomes of calls, and their leads and appointments. The table of calls/choices.py decides what follows."""

from typing import Any

from django.db import transaction

from calls.choices import CallStatus
from calls.models import Appointment, Call
from crm.choices import LeadStatus
from crm.error_codes import ErrorCode
from crm.models import Activity, Contact, Lead, User
from crm.refusals import Refusal
from crm.services.conversations import open_conversation
from crm.services.leads import first_assignee

FOLLOWING = ("booked", "reason_for_lost_sale", "lead_id")  # columns that follow from a status
OUTCOMES = (LeadStatus.BOOKED, LeadStatus.WON, LeadStatus.LOST)


class ContactFixed(Refusal):
    """The call can't move to another contact."""

    code, attr = ErrorCode.NOT_ALLOWED, "contact"


class LeadFixed(Refusal):
    """The call can't lose its lead."""

    code, attr = ErrorCode.NOT_ALLOWED, "lead"

    def __init__(self) -> None:
        super().__init__("A booked call keeps a lead; choose another one, or change the status first.")


def create_call(*, user: User | None = None, **values: Any) -> Call:
    """Create a call that a person logs, with all that follows from its status.

    Args:
        user: who logs it, and works on a lead that is made.
    """
    with transaction.atomic():
        call = Call(**values)
        _follow_status(call, user)
        call.save(force_insert=True)
        return call


def change_call(*, call: Call, user: User | None = None, **changes: Any) -> Call:
    """Change a call, with all that follows from a new status, contact or lead.

    Only the changed columns are written, so that concurrent changes of others are kept.

    Args:
        user: who changes it, and works on a lead that is made.

    Raises:
        ContactFixed: the call has another contact's lead or appointments.
        LeadFixed: the call is booked and would lose its lead.
    """
    with transaction.atomic():
        call = Call.objects.select_for_update().get(pk=call.pk)
        old_status, old_contact, old_lead = call.status, call.contact_id, call.lead
        for name, value in changes.items():
            setattr(call, name, value)
        written = set(changes)
        if old_lead and call.lead is None and CallStatus(call.status).booked:
            raise LeadFixed
        if call.contact_id != old_contact:
            _move_to_contact(call)
        if call.status != old_status:
            written |= _follow_status(call, user)
        elif add_missing_lead(call, user):
            written.add("lead_id")
        elif call.lead and call.lead != old_lead and CallStatus(call.status).booked:
            _set_outcome(call.lead, CallStatus(call.status))
        call.save(update_fields=written)
        if old_lead and call.lead != old_lead:
            _take_back_outcome(old_lead)
        return call


def book_call(*, call: Call, user: User | None = None) -> Lead | None:
    """Let a call follow an appointment that the user booked from it. Return its lead, created if missing."""
    call = Call.objects.select_for_update().get(pk=call.pk)  # concurrent bookings must not create two leads
    call.status = CallStatus(call.status).when_booked
    call.save(update_fields=_follow_status(call, user))
    return call.lead


def cancel_call_without_appointments(*, call: Call) -> None:
    """Let a call follow the cancellation of one of its appointments: of the last, its status follows."""
    call = Call.objects.select_for_update().get(pk=call.pk)
    status = CallStatus(call.status).when_cancelled
    if status != call.status and not Appointment.objects.not_cancelled().filter(call=call).exists():
        call.status = status
        call.save(update_fields=_follow_status(call))


def _follow_status(call: Call, user: User | None = None) -> set[str]:
    """Set the columns and the lead that follow from the call's status. Return the names of the changed columns."""
    before = {name: getattr(call, name) for name in FOLLOWING}
    call.set_status(call.status)
    status = CallStatus(call.status)
    if not add_missing_lead(call, user) and call.lead:
        _set_outcome(call.lead, status, takes_back=True)
    return {"status"} | {name for name, value in before.items() if getattr(call, name) != value}


def add_missing_lead(call: Call, user: User | None = None) -> bool:
    """Give a booked call of a known contact its lead, on which the user works. Return whether it had none."""
    status = CallStatus(call.status)
    if call.lead or not (status.booked and call.contact):
        return False
    assignee = first_assignee(user, company_id=call.company_id)
    call.lead = Lead.objects.create(
        company_id=call.company_id, contact=call.contact, source="call", status=status.lead, assignee=assignee
    )
    return True


def _set_outcome(lead: Lead, status: CallStatus, *, takes_back: bool = False) -> None:
    """Set the lead's status that follows from its call's. Without `takes_back` it never takes an outcome back."""
    if status.lead != LeadStatus.QUALIFIED or (takes_back and lead.status in OUTCOMES):
        lead.status = status.lead
        lead.save(update_fields=["status"])


def _take_back_outcome(lead: Lead) -> None:
    """Let a lead that lost a call become qualified, unless another booked call has it."""
    if lead.status in OUTCOMES and not Call.objects.filter(lead=lead, booked=True).exists():
        _set_outcome(lead, CallStatus.UNBOOKED, takes_back=True)


def _move_to_contact(call: Call) -> None:
    """Move the call's activities to its new contact, so that both histories are right.

    Raises:
        ContactFixed: the lead or an appointment belongs to another contact.
    """
    if call.lead and call.lead.contact_id != call.contact_id:
        raise ContactFixed("The call has a lead of its contact; change the lead, too.")
    if Appointment.objects.filter(call=call).exclude(contact=call.contact).exists():
        raise ContactFixed("The call has appointments of its contact, so it stays there.")
    if call.activity is None:
        return
    provider_id = call.activity.openphone_id
    activities = Activity.objects.filter(openphone_id__in=[provider_id, f"{provider_id}:voicemail"])
    activities.update(contact=call.contact, conversation=_conversation_of(call, call.contact))


def _conversation_of(call: Call, contact: Contact | None) -> Any:
    if contact is None or call.phone_line is None:
        return None
    return open_conversation(call.phone_line, contact, call.created_at)

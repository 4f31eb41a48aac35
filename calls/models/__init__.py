"""Calls, call details, appointments, proposals, attachments, missed callers, tasks and time off."""

from calls.models.appointments import Appointment
from calls.models.attachments import Attachment
from calls.models.call_details import CallDetail
from calls.models.calls import Call
from calls.models.missed_callers import MissedCaller
from calls.models.proposals import AppointmentProposal
from calls.models.tasks import Task
from calls.models.time_off import TimeOff

__all__ = [
    "Appointment",
    "AppointmentProposal",
    "Attachment",
    "Call",
    "CallDetail",
    "MissedCaller",
    "Task",
    "TimeOff",
]

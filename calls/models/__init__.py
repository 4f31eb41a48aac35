"""Calls, call details, appointments and missed callers."""

from calls.models.appointments import Appointment
from calls.models.call_details import CallDetail
from calls.models.calls import Call
from calls.models.missed_callers import MissedCaller
from calls.models.tasks import Task

__all__ = ["Appointment", "Call", "CallDetail", "MissedCaller", "Task"]

"""Calls, what is told of them, the visits that are booked from them, and whose calls were missed."""

from calls.models.appointments import Appointment
from calls.models.call_details import CallDetail
from calls.models.calls import Call
from calls.models.missed_callers import MissedCaller

__all__ = ["Appointment", "Call", "CallDetail", "MissedCaller"]
